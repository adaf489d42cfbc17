"""PyTorch's place for batch normalisation: ``nn.modules.batchnorm``."""

from ndl.nn.batchnorm import BatchNorm as _BatchNorm
from ndl.nn.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ndl.nn.lazy import LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "_BatchNorm",
]
