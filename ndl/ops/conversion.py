"""Copies, types and memory order: clone, to, float, contiguous and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd import dtypes
from ndl.autograd.device import device as Device
from ndl.autograd.dtypes import as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.naming import full_name
from ndl.autograd.tensor import Tensor
from ndl.ops.promotion import Cast
from ndl.ops.typed_tensors import dtype_of_type

__all__ = [  # the other names are methods only; ndl.double, ndl.long, … are types
    "channels_last",
    "channels_last_3d",
    "clone",
    "contiguous_format",
    "memory_format",
    "preserve_format",
]


class memory_format:
    """How a tensor's dimensions lie in memory, as ``torch.memory_format``."""

    def __init__(self, name: str, axes: tuple[int, ...] | None = None) -> None:
        self.name = name
        self.axes = axes  # dimensions from the slowest to the fastest; None: as they come

    def __repr__(self) -> str:
        return full_name(self.name)


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))


class Clone(ArrayFunction):
    """y = x in new memory;  dx = dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, format: memory_format) -> np.ndarray:
        return _copied(x, format)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy, None


def _copied(x: np.ndarray, format: memory_format) -> np.ndarray:
    if format.axes is not None:
        _check_rank(x, format)
        return x.transpose(format.axes).copy("C").transpose(np.argsort(format.axes))
    if format is contiguous_format or 0 in x.strides:
        return x.copy("C")
    return x.copy("K")


def _check_rank(x: np.ndarray, format: memory_format) -> None:
    assert format.axes is not None
    if x.ndim != len(format.axes):
        raise RuntimeError(
            f"required rank {len(format.axes)} tensor to use {format.name} format, but got rank {x.ndim}"
        )


def clone(input: Any, *, memory_format: memory_format = preserve_format) -> Any:
    """A copy in new memory that stays in the graph. y = x, dx = dy."""
    y = Clone.apply(input, memory_format)
    laid = memory_format.axes or (getattr(input, "_laid", None) if memory_format is preserve_format else None)
    if laid is not None and isinstance(y, Tensor):
        y._laid = laid
    return y


def is_contiguous(input: Tensor, memory_format: memory_format = contiguous_format) -> bool:
    """Whether the values lie in memory in the order of the dimensions, or in the format's order."""
    x = input._array
    if memory_format.axes is not None and x.ndim == len(memory_format.axes):
        x = x.transpose(memory_format.axes)
    return x.flags.c_contiguous


def contiguous(input: Tensor, memory_format: memory_format = contiguous_format) -> Tensor:
    """The tensor itself if it lies in memory in that order, else a copy that does."""
    if memory_format.axes is not None:
        _check_rank(input._array, memory_format)
    return input if is_contiguous(input, memory_format) else clone(input, memory_format=memory_format)


def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``t.to(dtype)``, ``t.to(device)``, ``t.to(device, dtype)``, ``t.to(other)``: itself if nothing changes."""
    dtype, copy = kwargs.pop("dtype", None), kwargs.pop("copy", False)
    device, format = kwargs.pop("device", None), kwargs.pop("memory_format", preserve_format)
    kwargs.pop("non_blocking", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument {sorted(kwargs)[0]!r}")
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        dtype = rest.pop(0).dtype
    elif rest and (isinstance(rest[0], (str, Device, int)) and not isinstance(rest[0], bool)):
        device = rest.pop(0)
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    elif rest and not isinstance(rest[0], bool):
        first = rest.pop(0)
        dtype = dtype if first is None else first
    if len(rest) > 1:
        copy = rest[1]
    if device is not None and device != "cpu":
        Device(device)
    want = input._array.dtype if dtype is None else as_numpy_dtype(dtype)
    if want != input._array.dtype:
        return Cast.apply(input, want)
    if copy or (format.axes is not None and not is_contiguous(input, format)):
        return clone(input, memory_format=format)
    return input


def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the type, or the tensor in another type: a dtype, ``FloatTensor`` or "torch.FloatTensor"."""
    if dtype is None:
        return full_name(f"{_TENSOR_NAMES.get(input.dtype.name, input.dtype.name)}Tensor")
    return to(input, dtype_of_type(dtype))


_TENSOR_NAMES = {
    "float64": "Double",
    "float32": "Float",
    "float16": "Half",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` in the type of ``other``."""
    return to(input, other.dtype)


def float_(input: Tensor) -> Tensor:
    """As float32."""
    return to(input, dtypes.float32)


def double(input: Tensor) -> Tensor:
    """As float64."""
    return to(input, dtypes.float64)


def half(input: Tensor) -> Tensor:
    """As float16."""
    return to(input, dtypes.float16)


def long(input: Tensor) -> Tensor:
    """As int64."""
    return to(input, dtypes.int64)


def int_(input: Tensor) -> Tensor:
    """As int32."""
    return to(input, dtypes.int32)


def short(input: Tensor) -> Tensor:
    """As int16."""
    return to(input, dtypes.int16)


def char(input: Tensor) -> Tensor:
    """As int8."""
    return to(input, dtypes.int8)


def byte(input: Tensor) -> Tensor:
    """As uint8."""
    return to(input, dtypes.uint8)


def bool_(input: Tensor) -> Tensor:
    """As bool: whether each value differs from zero."""
    return to(input, dtypes.bool_)


def cpu(input: Tensor) -> Tensor:
    """The tensor itself: it is on the CPU."""
    return input
