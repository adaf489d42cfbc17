"""``FloatTensor``, ``LongTensor``, …: PyTorch's older names, one for each type of element.

- ``FloatTensor([1, 2])`` is a tensor of float32 with these values;
- ``FloatTensor(2, 3)`` is an uninitialised one of this size;
- ``isinstance(x, LongTensor)`` tells whether x is a tensor of int64;
- ``x.type(DoubleTensor)`` is x as float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd import dtypes
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "dtype_of_type",
]


class _TensorType(type):
    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        kind = cls.dtype.dtype
        if len(data) == 1 and not isinstance(data[0], (int, Size)):
            source = data[0]
            return Tensor._wrap(np.array(source._array if isinstance(source, Tensor) else source, dtype=kind))
        shape = data[0] if len(data) == 1 and isinstance(data[0], Size) else data
        return Tensor._wrap(np.empty(shape if data else (0,), kind))


class DoubleTensor(metaclass=_TensorType):
    """Tensors of float64."""

    dtype = dtypes.float64


class FloatTensor(metaclass=_TensorType):
    """Tensors of float32."""

    dtype = dtypes.float32


class HalfTensor(metaclass=_TensorType):
    """Tensors of float16."""

    dtype = dtypes.float16


class LongTensor(metaclass=_TensorType):
    """Tensors of int64."""

    dtype = dtypes.int64


class IntTensor(metaclass=_TensorType):
    """Tensors of int32."""

    dtype = dtypes.int32


class ShortTensor(metaclass=_TensorType):
    """Tensors of int16."""

    dtype = dtypes.int16


class CharTensor(metaclass=_TensorType):
    """Tensors of int8."""

    dtype = dtypes.int8


class ByteTensor(metaclass=_TensorType):
    """Tensors of uint8."""

    dtype = dtypes.uint8


class BoolTensor(metaclass=_TensorType):
    """Tensors of bool."""

    dtype = dtypes.bool_


_TYPES: dict[str, Any] = {
    t.__name__: t
    for t in (
        DoubleTensor,
        FloatTensor,
        HalfTensor,
        LongTensor,
        IntTensor,
        ShortTensor,
        CharTensor,
        ByteTensor,
        BoolTensor,
    )
}


def new(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """``t.new(…)``: the older form of ``new_tensor`` and ``new_empty``, a tensor of this type of element."""
    return next(t for t in _TYPES.values() if t.dtype is self.dtype)(*data)


def dtype_of_type(t: Any) -> Any:
    """The dtype for ``FloatTensor``, "torch.FloatTensor" or a dtype itself.

    Raises ValueError for a name that is none of them.
    """
    if isinstance(t, str):
        found = _TYPES.get(t.rpartition(".")[2])
        if found is None or ".cuda." in t:
            raise ValueError(f"invalid type: {t!r}; choose one of {', '.join(_TYPES)}")
        return found.dtype
    return t.dtype if isinstance(t, _TensorType) else t
