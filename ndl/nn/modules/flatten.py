"""PyTorch's place for flattening: ``nn.modules.flatten``."""

from ndl.nn.flatten import Flatten, Unflatten

__all__ = ["Flatten", "Unflatten"]
