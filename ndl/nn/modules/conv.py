"""PyTorch's place for convolutions: ``nn.modules.conv``."""

from ndl.nn.conv import Conv1d, Conv2d, Conv3d
from ndl.nn.conv import ConvNd as _ConvNd
from ndl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ndl.nn.conv_transpose import ConvTransposeNd as _ConvTransposeNd
from ndl.nn.lazy import (
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
)

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "_ConvNd",
    "_ConvTransposeNd",
]
