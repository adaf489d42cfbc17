"""Which dimensions a reduction takes away, and what they look like if they are kept."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.ops.dims import wrap_dims


def numpy_names(function: Callable) -> Callable:
    """Accept NumPy's ``axis`` and ``keepdims`` for PyTorch's ``dim`` and ``keepdim``, as PyTorch does.

    And refuse, with TypeError, a third argument in the place of ``keepdim`` that is no bool: who writes x.sum(0, 1)
    wants two dimensions.
    """
    parameters = list(inspect.signature(function).parameters)
    place = parameters.index("keepdim") if "keepdim" in parameters else 99

    @functools.wraps(function)
    def with_names(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place and type(args[place]) is not bool:
            raise TypeError(
                f"{function.__name__}(): argument 'keepdim' (position {place}) must be bool, not "
                f"{type(args[place]).__name__}; several dimensions are given as one tuple"
            )
        if kwargs:
            if "axis" in kwargs:
                kwargs["dim"] = kwargs.pop("axis")
            if "keepdims" in kwargs:
                kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return with_names


def reduced_axes(dim: Any, ndim: int) -> tuple[int, ...] | None:
    """The axes to reduce, counted from the front; None, for all of them, if ``dim`` is None or empty.

    Raises IndexError for a dimension that is not there, RuntimeError for one named twice, TypeError for a bool.
    """
    if dim is None or dim == ():
        return None
    if isinstance(dim, bool):
        raise TypeError(f"dim must be an int or a tuple of ints, but is {dim}")
    axes = wrap_dims(dim, ndim)
    return axes if ndim and axes else None


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """``shape`` with 1 for each of ``axes``."""
    if axes is None:
        return (1,) * len(shape)
    return tuple([1 if a in axes else n for a, n in enumerate(shape)])


def number_reduced(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> int:
    """How many elements each result is made of."""
    return math.prod(shape if axes is None else [shape[a] for a in axes])


def require_some(name: str, x: np.ndarray, axes: tuple[int, ...] | None) -> None:
    """Raise where a reduction without a neutral element (a maximum) meets nothing to reduce."""
    if x.size:
        return
    if axes is None:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    for a in axes:
        if x.shape[a] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {a} to have non-zero size.")


def outside_graph(y: Any, input: Any) -> Any:
    """A result that has no gradient: a Tensor if the input is one, else the array."""
    y = np.asarray(y)
    return Tensor._wrap(y) if isinstance(input, Tensor) else y
