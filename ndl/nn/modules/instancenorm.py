"""PyTorch's place for instance normalisation: ``nn.modules.instancenorm``."""

from ndl.nn.instancenorm import InstanceNorm as _InstanceNorm
from ndl.nn.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from ndl.nn.lazy import LazyInstanceNorm1d, LazyInstanceNorm2d, LazyInstanceNorm3d

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "_InstanceNorm",
]
