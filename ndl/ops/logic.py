"""Logic on truth values (anything that is not 0 is true) and on the bits of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.ops.comparison import OTHER, answer
from ndl.ops.elementwise import dtype_of, refuse
from ndl.ops.promotion import array_of, promote

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def logical_and(input: Any, other: Any) -> Any:
    """Where both are not 0."""
    return _logical("logical_and", np.logical_and, input, other)


def logical_or(input: Any, other: Any) -> Any:
    """Where one or both are not 0."""
    return _logical("logical_or", np.logical_or, input, other)


def logical_xor(input: Any, other: Any) -> Any:
    """Where exactly one is not 0."""
    return _logical("logical_xor", np.logical_xor, input, other)


def logical_not(input: Any) -> Any:
    """Where input is 0."""
    return _logical("logical_not", np.logical_not, input)


def _logical(name: str, ufunc: Callable, *operands: Any) -> Any:
    arrays = [array_of(x) for x in operands]
    for x, argument in zip(arrays, ("'input' (position 1)", OTHER)):
        dtype_of(x, name, argument)
    return answer(ufunc, operands, *arrays)


def bitwise_and(input: Any, other: Any) -> Any:
    """The bits that are 1 in both. Raises NotImplementedError for floats."""
    return _bitwise("bitwise_and", "fc", np.bitwise_and, input, other)


def bitwise_or(input: Any, other: Any) -> Any:
    """The bits that are 1 in one or both. Raises NotImplementedError for floats."""
    return _bitwise("bitwise_or", "fc", np.bitwise_or, input, other)


def bitwise_xor(input: Any, other: Any) -> Any:
    """The bits that differ. Raises NotImplementedError for floats."""
    return _bitwise("bitwise_xor", "fc", np.bitwise_xor, input, other)


def bitwise_not(input: Any) -> Any:
    """All bits turned over; for booleans the logical not. Raises NotImplementedError for floats."""
    refuse("bitwise_not", "fc", input)
    return answer(np.invert, (input,), array_of(input))


def bitwise_left_shift(input: Any, other: Any) -> Any:
    """input · 2^other, bits that leave the type are lost. Raises NotImplementedError for floats and booleans."""
    return _bitwise("bitwise_left_shift", "bfc", np.left_shift, input, other)


def bitwise_right_shift(input: Any, other: Any) -> Any:
    """⌊input / 2^other⌋. Raises NotImplementedError for floats and booleans."""
    return _bitwise("bitwise_right_shift", "bfc", np.right_shift, input, other)


def _bitwise(name: str, kinds: str, ufunc: Callable, input: Any, other: Any) -> Any:
    x, y = promote(array_of(input), array_of(other))
    refuse(name, kinds, x)
    return answer(ufunc, (input, other), x, y)


def invert(input: Any) -> Any:
    """The operator ``~``. Raises TypeError for floats."""
    if dtype_of(input, "bitwise_not").kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(input)
