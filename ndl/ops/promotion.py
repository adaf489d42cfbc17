"""Bringing operands to one type before an operation, by PyTorch's rules (see ``ndl.autograd.dtypes``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype, result_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor


class Cast(ArrayFunction):
    """y = x in another type; dx = dy in x's own type, which the engine sees to."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return x.astype(dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy, None


def array_of(x: Any) -> Any:
    """The array inside a Tensor; anything else as it is."""
    return x._array if isinstance(x, Tensor) else x


def cast(x: Any, dtype: np.dtype) -> Any:
    """``x`` (Tensor, array or number) as ``dtype``: the same object if it has that type already."""
    a = array_of(x)
    if isinstance(a, np.ndarray):
        return x if a.dtype == dtype else Cast.apply(x, dtype)
    return dtype.type(a)


def promote(*operands: Any) -> tuple:
    """The operands in their common type. Python numbers that already fit stay numbers, which NumPy treats as weak."""
    arrays = [x._array if isinstance(x, Tensor) else x for x in operands]
    first = arrays[0]
    if isinstance(first, np.ndarray) and first.ndim:  # the common case: equal types, or a number beside floats
        d = first.dtype
        for a in arrays:
            if isinstance(a, np.ndarray):
                if a.dtype is not d:
                    break
            elif not (type(a) is float or type(a) is int) or d.kind != "f":
                break
        else:
            return operands
    d = result_numpy_dtype(*arrays)
    return tuple([cast(x, d) if isinstance(a, np.ndarray) else d.type(a) for x, a in zip(operands, arrays, strict=True)])


def to_float(x: Any) -> Any:
    """Integers and booleans as the default float type, floats unchanged: what exp, mean or softmax want."""
    a = array_of(x)
    if isinstance(a, np.ndarray):
        return x if a.dtype.kind in "fc" else cast(x, default_numpy_dtype())
    return default_numpy_dtype().type(a)
