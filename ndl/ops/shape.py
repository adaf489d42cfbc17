"""Another shape for the same elements: view, reshape, flatten, squeeze, expand and their kin.

Nothing here computes. An operation says which element of x each element of y *is*, so its backward sends each dy to
where that element came from; where one element was read several times (expand), its gradients are summed.

All of these are views where PyTorch's are: they share the memory of x, and writing through them writes to x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_numpy_dtype, dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.inplace import check_writable, take_history
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import listed, takes_axis, values, wrap_dim, wrap_dims

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "flatten",
    "ravel",
    "reshape",
    "squeeze",
    "unflatten",
    "unsqueeze",
]


class View(ArrayFunction):
    """y = the elements of x, in their order, in another shape;  dx = dy in the shape of x."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple) -> np.ndarray:
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy.reshape(ctx.shape), None


class Expand(ArrayFunction):
    """y = x repeated along its dimensions of size 1, without a copy;  dx = Σ dy over the repeats (by the engine)."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple) -> np.ndarray:
        if x.size == math.prod(shape):  # only new dimensions of size 1: the result can be written to
            return x.reshape(shape)
        return np.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy, None


class ViewAs(ArrayFunction):
    """y = the bytes of x read as another type; it has no gradient."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        y = x.view(dtype)
        ctx.mark_non_differentiable(y)
        return y


# -- one shape to another ------------------------------------------------------------------------------------


def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in another shape; one size may be −1. A view where the memory allows it, else a copy.

    dx = dy in the shape of x. Raises RuntimeError if the sizes do not multiply to the number of elements.
    """
    return _with_shape(input, values(input, "reshape"), listed(sizes, shape))


def _with_shape(input: Any, x: np.ndarray, shape: tuple) -> Any:
    try:
        if min(shape, default=0) < -1:
            raise ValueError
        return View.apply(input, shape)
    except ValueError:
        raise _shape_error(x, shape) from None


def _shape_error(x: np.ndarray, shape: tuple) -> RuntimeError:
    sizes = [int(n) for n in shape]
    wrong = next((i for i, n in enumerate(sizes) if n < -1), None)
    if wrong is not None:
        return RuntimeError(f"invalid shape dimension {sizes[wrong]} at index {wrong} of shape {sizes}")
    if sizes.count(-1) > 1:
        return RuntimeError("only one dimension can be inferred")
    if x.size == 0 and -1 in sizes and 0 in sizes:
        return RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {sizes} because the unspecified dimension size -1 can be "
            "any value and is ambiguous"
        )
    return RuntimeError(f"shape '{sizes}' is invalid for input of size {x.size}")


def view(input: Any, *sizes: Any, size: Any = None, dtype: Any = None) -> Any:
    """The same memory in another shape, ``x.view(2, -1)``, or read as another type, ``x.view(ndl.int32)``.

    Raises RuntimeError where a copy would be needed: ``reshape`` makes one.
    """
    x = values(input, "view")
    if dtype is None and len(sizes) == 1 and _names_a_type(sizes[0]):
        dtype = sizes[0]
    if dtype is not None:
        return _view_as_type(input, x, as_numpy_dtype(dtype))
    shape = listed(sizes, size)
    if not x.flags.c_contiguous and x.size and not np.may_share_memory(x, _with_shape(x, x, shape)):
        if _lies_channels_last(input):
            # A convolution's result lies channels last because that is fast, not because anybody asked for it. As
            # nobody else looks at its memory yet, it may move to memory in the order that PyTorch's would have.
            input._array = np.ascontiguousarray(x)
            return _with_shape(input, input._array, shape)
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return _with_shape(input, x, shape)


def _lies_channels_last(t: Any) -> bool:
    return isinstance(t, Tensor) and not t._shared and t.ndim > 2 and np.moveaxis(t._array, 1, -1).flags.c_contiguous


def _names_a_type(value: Any) -> bool:
    return isinstance(value, (dtype, np.dtype, type))


def _view_as_type(input: Any, x: np.ndarray, want: np.dtype) -> Any:
    ratio = want.itemsize / x.itemsize
    if ratio != 1:
        change = f"to view {x.dtype} as {want} (different element sizes)"
        if x.ndim == 0:
            raise RuntimeError(f"self.dim() cannot be 0 {change}")
        if x.strides[-1] != x.itemsize:
            raise RuntimeError(f"self.stride(-1) must be 1 {change}, but got {x.strides[-1] // x.itemsize}")
        if ratio > 1 and x.shape[-1] % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio:.0f} {change}, but got {x.shape[-1]}")
    return ViewAs.apply(input, want)


def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``."""
    return view(input, tuple(other.shape))


def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``."""
    return reshape(input, tuple(other.shape))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from ``start_dim`` to ``end_dim``, both included, become one."""
    shape = values(input, "flatten").shape
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end and shape:
        return input
    return View.apply(input, shape[:start] + (math.prod(shape[start : end + 1]),) + shape[end + 1 :])


def ravel(input: Any) -> Any:
    """All elements in one dimension."""
    return reshape(input, -1)


@takes_axis
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension becomes several, of ``sizes``; one of them may be −1."""
    shape = values(input, "unflatten").shape
    d, sizes = wrap_dim(dim, len(shape)), listed((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod(n for n in sizes if n != -1)
    missing = sizes.count(-1)
    if missing > 1:
        raise RuntimeError("only one dimension can be inferred")
    if missing and known and shape[d] % known == 0:
        sizes = tuple(shape[d] // known if n == -1 else n for n in sizes)
    elif missing or known != shape[d]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) in the "
            "input tensor"
        )
    return View.apply(input, shape[:d] + sizes + shape[d + 1 :])


# -- dimensions of size 1 ------------------------------------------------------------------------------------


@takes_axis
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without its dimensions of size 1: all, or those of ``dim`` (one or a tuple) that have size 1."""
    shape = values(input, "squeeze").shape
    drop = range(len(shape)) if dim is None else wrap_dims(dim, len(shape))
    return View.apply(input, tuple([n for d, n in enumerate(shape) if n != 1 or d not in drop]))


@takes_axis
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new dimension of size 1 at ``dim``, counted in the result."""
    shape = values(input, "unsqueeze").shape
    d = wrap_dim(dim, len(shape) + 1)
    return View.apply(input, shape[:d] + (1,) + shape[d:])


def atleast_1d(*tensors: Any) -> Any:
    """With at least one dimension; several tensors, or a list of them, give a tuple."""
    return _each(tensors, lambda x, n: reshape(x, 1) if n == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions: a vector becomes a row."""
    return _each(tensors, lambda x, n: reshape(x, 1, -1) if n < 2 else x)


def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions: (n) becomes (1, n, 1), and (m, n) becomes (m, n, 1)."""
    return _each(tensors, lambda x, n: reshape(x, 1, -1, 1) if n < 2 else unsqueeze(x, -1) if n == 2 else x)


def _each(tensors: tuple, f: Any) -> Any:
    several = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    made = tuple([f(x, x.ndim) for x in several])
    return made[0] if len(tensors) == 1 and several is tensors else made


# -- broadcasting --------------------------------------------------------------------------------------------


def expand(input: Any, *sizes: Any, size: Any = None, implicit: bool = False) -> Any:
    """Dimensions of size 1 repeated to ``sizes`` without a copy; −1 keeps a size, new dimensions may lead.

    dx = Σ dy over the repeats. Raises RuntimeError if another size than 1 would have to change.
    """
    have, want = values(input, "expand").shape, listed(sizes, size)
    lead = len(want) - len(have)
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(want)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({len(have)}); got sizes {list(want)} for shape {list(have)}"
        )
    shape = list(want)
    for i, n in enumerate(want):
        if n == -1 and i < lead:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if n == -1:
            shape[i] = have[i - lead]
        elif n < 0 or (i >= lead and have[i - lead] not in (1, n)):
            existing = have[i - lead] if i >= lead else "none"
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({existing}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(want)}.  Tensor sizes: {list(have)}"
            )
    return Expand.apply(input, tuple(shape))


def broadcast_to(input: Any, size: Any) -> Any:
    """``input.expand(size)``."""
    return expand(input, tuple(size))


def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``."""
    return expand(input, tuple(other.shape))


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to. Raises RuntimeError if they do not fit."""
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    result = [1] * max((len(s) for s in sizes), default=0)
    for s in sizes:
        for i, n in enumerate(reversed(s), 1):
            if n != 1 and result[-i] not in (1, n):
                raise RuntimeError(
                    f"The size of tensor a ({result[-i]}) must match the size of tensor b ({n}) at non-singleton "
                    f"dimension {len(result) - i}: the shapes {[list(s) for s in sizes]} do not broadcast"
                )
            if n != 1:
                result[-i] = n
    return Size(result)


def broadcast_tensors(*tensors: Any) -> tuple:
    """Each tensor expanded to their common shape."""
    several = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = broadcast_shapes(*[values(x, "broadcast_tensors").shape for x in several])
    return tuple([expand(x, shape) for x in several])


# -- the tensor itself in another shape ----------------------------------------------------------------------


def become(self: Tensor, other: Tensor) -> Tensor:
    """``self`` takes the shape and the place in the graph of its own view ``other``; nobody else's shape changes."""
    edge = other._edge() if other._node is not None else None
    self._array = other._array
    if edge is not None and self._base is None:
        take_history(self, edge)
    elif edge is not None:
        self._node, self._nr = edge
    return self


def squeeze_(self: Tensor, dim: Any = None) -> Tensor:
    """``squeeze`` of the tensor itself."""
    check_writable(self)
    return become(self, squeeze(self, dim))


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """``unsqueeze`` of the tensor itself."""
    check_writable(self)
    return become(self, unsqueeze(self, dim))
