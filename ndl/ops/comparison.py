"""Comparisons and tests for special values: eq, lt, isclose, isnan and their kin. Their results have no gradient.

Two values are compared in their common type, by the same promotion as in arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype
from ndl.autograd.tensor import Tensor
from ndl.ops.elementwise import broadcast_message, dtype_of
from ndl.ops.promotion import array_of, promote

__all__ = [
    "allclose",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "is_nonzero",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "le",
    "less",
    "less_equal",
    "lt",
    "ne",
    "not_equal",
    "signbit",
]


OTHER = "'other' (position 2)"


def _compare(ufunc: Callable, input: Any, other: Any) -> Any:
    return answer(ufunc, (input, other), *promote(array_of(input), array_of(other)))


def answer(ufunc: Callable, given: tuple, *arrays: Any) -> Any:
    """``ufunc(*arrays)`` as a Tensor if one was given."""
    try:
        result = ufunc(*arrays)
    except ValueError as error:
        raise RuntimeError(broadcast_message(*arrays) or str(error)) from None
    for x in given:
        if isinstance(x, Tensor):
            return Tensor._wrap(np.asarray(result))
    return result


def eq(input: Any, other: Any) -> Any:
    """Where input = other; nan equals nothing."""
    return _compare(np.equal, input, other)


def ne(input: Any, other: Any) -> Any:
    """Where input ≠ other."""
    return _compare(np.not_equal, input, other)


def lt(input: Any, other: Any) -> Any:
    """Where input < other."""
    return _compare(np.less, input, other)


def le(input: Any, other: Any) -> Any:
    """Where input ≤ other."""
    return _compare(np.less_equal, input, other)


def gt(input: Any, other: Any) -> Any:
    """Where input > other."""
    return _compare(np.greater, input, other)


def ge(input: Any, other: Any) -> Any:
    """Where input ≥ other."""
    return _compare(np.greater_equal, input, other)


not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Where |input − other| ≤ atol + rtol · |other|. Infinities are close to themselves, nan only if ``equal_nan``.

    Raises RuntimeError if the types differ, or a tolerance is negative.
    """
    x, y = array_of(input), array_of(other)
    if dtype_of(x, "isclose") != dtype_of(y, "isclose", OTHER):
        raise RuntimeError(f"isclose() compares tensors of one type, but got {x.dtype} and {y.dtype}: convert one")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")

    if x.dtype.kind not in "fc":
        x, y = x.astype(default_numpy_dtype()), y.astype(default_numpy_dtype())

    def close(x: Any, y: Any) -> Any:
        with np.errstate(all="ignore"):
            distance = np.abs(x - y)
            result = (x == y) | (np.isfinite(distance) & (distance <= atol + rtol * np.abs(y)))
        return result | (np.isnan(x) & np.isnan(y)) if equal_nan else result

    return answer(close, (input, other), x, y)


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as ``isclose`` has it: a Python bool."""
    return bool(np.all(array_of(isclose(input, other, rtol, atol, equal_nan))))


def equal(input: Any, other: Any) -> bool:
    """Whether both have the same shape and the same values: a Python bool. Raises TypeError for numbers."""
    dtype_of(input, "equal"), dtype_of(other, "equal", OTHER)
    x, y = array_of(input), array_of(other)
    return x.shape == y.shape and bool(np.all(np.equal(*promote(x, y))))


def _test(name: str, ufunc: Callable, x: Any) -> Any:
    dtype_of(x, name)
    return answer(ufunc, (x,), array_of(x))


def isnan(input: Any) -> Any:
    """Where input is nan."""
    return _test("isnan", np.isnan, input)


def isinf(input: Any) -> Any:
    """Where input is inf or −inf."""
    return _test("isinf", np.isinf, input)


def isfinite(input: Any) -> Any:
    """Where input is neither nan nor infinite."""
    return _test("isfinite", np.isfinite, input)


def isposinf(input: Any) -> Any:
    """Where input is inf."""
    return _test("isposinf", lambda x: x == np.inf, input)


def isneginf(input: Any) -> Any:
    """Where input is −inf."""
    return _test("isneginf", lambda x: x == -np.inf, input)


def isreal(input: Any) -> Any:
    """Where input has no imaginary part: everywhere, for real types."""
    return _test("isreal", lambda x: np.imag(x) == 0, input)


def signbit(input: Any) -> Any:
    """Where the sign is negative, which for floats includes −0."""
    return _test("signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0, input)


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element differs from 0. Raises RuntimeError for any other number of elements."""
    return bool(input)
