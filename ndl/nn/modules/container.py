"""PyTorch's place for containers: ``nn.modules.container``."""

from ndl.nn.containers import ModuleDict, ModuleList, Sequential
from ndl.nn.parameter_containers import ParameterDict, ParameterList

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]
