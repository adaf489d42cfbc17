"""PyTorch's place for linear layers: ``nn.modules.linear``."""

from ndl.nn.bilinear import Bilinear
from ndl.nn.lazy import LazyLinear
from ndl.nn.linear import Identity, Linear

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]
