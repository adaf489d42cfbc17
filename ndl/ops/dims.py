"""Reading arguments the way PyTorch does: dimensions from either end, sizes as one list or one by one."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor


def wrap_dim(dim: Any, ndim: int) -> int:
    """``dim`` counted from the front. A tensor without dimensions takes 0 and −1, as in PyTorch.

    Raises IndexError if there is no such dimension.
    """
    if type(dim) is not int:
        dim = operator.index(dim)
    n = ndim or 1
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def wrap_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """One dimension or several, counted from the front. Raises RuntimeError if one is named twice."""
    wrapped = tuple([wrap_dim(d, ndim) for d in (dims if isinstance(dims, (tuple, list)) else (dims,))])
    for i, d in enumerate(wrapped):
        if d in wrapped[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return wrapped


def listed(given: tuple, keyword: Any = None) -> tuple:
    """The sizes in ``f(2, 3)``, ``f((2, 3))``, ``f([2, 3])`` and ``f(size=(2, 3))`` alike."""
    if keyword is not None:
        return tuple(keyword)
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return tuple(given[0])
    return given


def values(x: Any, function: str, name: str = "input", position: int = 1) -> np.ndarray:
    """The array of a Tensor, or an array as it is. Raises TypeError for anything else, as PyTorch words it."""
    a = x._array if isinstance(x, Tensor) else x
    if isinstance(a, np.ndarray):
        return a
    if isinstance(a, np.generic):
        return np.asarray(a)
    raise TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(x).__name__}")


def takes_axis(function: Callable) -> Callable:
    """Accept NumPy's ``axis`` where PyTorch's name is ``dim``, as PyTorch does."""

    @functools.wraps(function)
    def with_axis(*args: Any, **kwargs: Any) -> Any:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        return function(*args, **kwargs)

    return with_axis
