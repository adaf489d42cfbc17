"""Bringing operands to one type before an operation, by PyTorch's rules (see ``ndl.autograd.dtypes``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, default_numpy_dtype, dtype, result_numpy_dtype
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


def result_type(*operands: Any) -> dtype:
    """The type of an operation's result over tensors and Python numbers, by PyTorch's rules."""
    return as_dtype(result_numpy_dtype(*[array_of(x) for x in operands]))


def array_of(x: Any) -> Any:
    """The array inside a Tensor; anything else as it is."""
    return x._array if isinstance(x, Tensor) else x


def cast(x: Any, dtype: np.dtype) -> Any:
    """``x`` (Tensor, array or number) as ``dtype``: the same object if it has that type already."""
    a = array_of(x)
    if isinstance(a, np.ndarray):
        return x if a.dtype == dtype else Cast.apply(x, dtype)
    return number(a, dtype)


def promote(*operands: Any) -> tuple:
    """The operands in their common type. Python numbers that already fit stay numbers, which NumPy treats as weak."""
    if len(operands) == 2:  # the common cases first: equal types, or a number beside floats
        x, y = operands
        a = x._array if isinstance(x, Tensor) else x
        b = y._array if isinstance(y, Tensor) else y
        if type(a) is np.ndarray:
            if type(b) is np.ndarray:
                if a.dtype is b.dtype:
                    return operands
            elif (type(b) is float or type(b) is int) and a.dtype.kind == "f":
                return operands
    arrays = [array_of(x) for x in operands]
    if not any(isinstance(a, np.ndarray) for a in arrays):  # NumPy's scalars are what is left of 0-d arrays here
        arrays = [np.asarray(a) if isinstance(a, np.generic) else a for a in arrays]
    d = result_numpy_dtype(*arrays)
    return tuple([cast(x, d) if isinstance(a, np.ndarray) else number(a, d) for x, a in zip(operands, arrays)])


def number(value: Any, d: np.dtype) -> Any:
    """A Python number as NumPy's scalar of type ``d``; integers too large for ``d`` wrap around, as in PyTorch."""
    try:
        return d.type(value)
    except OverflowError:
        return np.int64(value).astype(d)


def to_float(x: Any) -> Any:
    """Integers and booleans as the default float type, floats unchanged: what exp, mean or softmax want."""
    a = array_of(x)
    if isinstance(a, (np.ndarray, np.generic)):
        return x if a.dtype.kind in "fc" else cast(x, default_numpy_dtype())
    return default_numpy_dtype().type(a)
