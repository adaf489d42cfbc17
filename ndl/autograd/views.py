"""Views and in-place writes: the history of memory that several tensors share.

With p the places of a view v's elements in the memory of its base b, writing r into v is

    b'  = b;  b'[p] = r          dL/db = dL/db' with 0 at p          dL/dr = dL/db'[p]      (CopySlices)
    v'  = b'[p]                  dL/db' = 0 everywhere but Σ dL/dv' at p                    (AsStrided)

so b becomes "b with the elements of v replaced", and v, like every other view of b, takes its history from
the new b the next time somebody asks. (Σ, since a view may show one element of its base several times.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.graph import Node
from ndl.autograd.inplace import check_view
from ndl.autograd.tensor import Tensor


class Window:
    """Where a view's elements lie in its base's memory; it remembers offsets and strides, not the memory.

    For a gradient, the base's memory is laid out anew: through the base's strides one sees all of the
    gradient, through the view's strides the view's part of it. All lengths are in elements, not bytes.
    """

    def __init__(self, view: np.ndarray, base: np.ndarray) -> None:
        low, high = _extent(base)
        view_low, view_high = _extent(view)
        self.size = high - low
        self.offset = (_address(view) - _address(base)) // base.itemsize - low
        self.shape, self.strides = view.shape, _strides(view)
        self.base_offset = -low
        self.base_shape, self.base_strides = base.shape, _strides(base)
        first, last = self.offset + view_low, self.offset + view_high
        if view.size and not 0 <= first < last <= self.size:
            raise RuntimeError(
                "a view does not lie in the memory of the tensor it was made from: was that tensor given other "
                "memory through .data? Make the view again."
            )

    def open(self, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``memory`` as the base shows it, and as the view shows it."""
        return (
            _look(memory, self.base_shape, self.base_offset, self.base_strides),
            _look(memory, self.shape, self.offset, self.strides),
        )

    def overlaps(self) -> bool:
        """Whether two elements of the view are one in memory."""
        seen = np.zeros(self.size, bool)
        _, part = self.open(seen)
        part[...] = True
        return bool(np.count_nonzero(seen) < part.size)


def _look(memory: np.ndarray, shape: tuple, offset: int, strides: tuple) -> np.ndarray:
    if 0 in shape:
        return np.zeros(shape, memory.dtype)
    size = memory.itemsize
    return np.ndarray(shape, memory.dtype, memory, offset * size, [s * size for s in strides])


def _address(a: np.ndarray) -> int:
    return a.__array_interface__["data"][0]


def _strides(a: np.ndarray) -> tuple:
    return tuple(s // a.itemsize for s in a.strides)


def _extent(a: np.ndarray) -> tuple[int, int]:
    """Where an array's elements begin and end in memory, counted from element 0."""
    if not a.size:
        return 0, 0
    steps = [(n - 1) * stride for n, stride in zip(a.shape, _strides(a))]
    return sum(s for s in steps if s < 0), sum(s for s in steps if s > 0) + 1


class Gather(ArrayFunction):
    """v = b[p];  db = Scatter(dv)."""

    @staticmethod
    def forward(ctx: Any, b: np.ndarray, window: Window) -> np.ndarray:
        ctx.window = window
        whole, part = window.open(np.empty(window.size, b.dtype))
        whole[...] = b
        return part.copy()

    @staticmethod
    def backward(ctx: Any, dv: Any) -> tuple:
        return Scatter.apply(dv, ctx.window), None


class Scatter(ArrayFunction):
    """b = zeros with v added at p;  dv = Gather(db)."""

    @staticmethod
    def forward(ctx: Any, v: np.ndarray, window: Window) -> np.ndarray:
        ctx.window = window
        memory = np.zeros(window.size, v.dtype)
        whole, part = window.open(memory)
        if window.overlaps():
            np.add.at(memory, window.open(np.arange(window.size))[1], v)
        else:
            part[...] = v
        return whole

    @staticmethod
    def backward(ctx: Any, db: Any) -> tuple:
        return Gather.apply(db, ctx.window), None


class Erase(ArrayFunction):
    """y = b with 0 at p;  db = Erase(dy)."""

    @staticmethod
    def forward(ctx: Any, b: np.ndarray, window: Window) -> np.ndarray:
        ctx.window = window
        whole, part = window.open(np.empty(window.size, b.dtype))
        whole[...] = b
        part[...] = 0
        return whole

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Erase.apply(dy, ctx.window), None


class CopySlices(ArrayFunction):
    """b' = b with b'[p] = r."""

    node_suffix = ""  # PyTorch's name for it is the bare CopySlices

    @staticmethod
    def backward(ctx: Any, db: Any) -> tuple:
        need_b, need_r = ctx.needs_input_grad
        return (
            Erase.apply(db, ctx.window) if need_b else None,
            Gather.apply(db, ctx.window) if need_r else None,
        )


class AsStrided(ArrayFunction):
    """v = b[p]: what a view is, seen from its base."""

    @staticmethod
    def backward(ctx: Any, dv: Any) -> Any:
        return Scatter.apply(dv, ctx.window)


class Overwrite(ArrayFunction):
    """y = a constant written over x;  dx = 0."""

    @staticmethod
    def backward(ctx: Any, dy: Any) -> np.ndarray:
        shape, dtype = ctx.outputs[0]
        return np.zeros(shape, dtype)


def overwrite(t: Tensor) -> Node:
    """The node of ``t`` after a constant was written over all of it: what it was before gets no gradient."""
    node = Node(Overwrite, (t._edge(),))
    node.outputs = ((t._array.shape, t._array.dtype),)
    return node


def copy_slices(view: Tensor, base: Tensor, edge: tuple | None) -> Node:
    """The node of ``base`` after what stands at ``edge`` was written into ``view``."""
    node = Node(CopySlices, (base._edge(), edge))
    node.window = Window(view._array, base._array)  # type: ignore[attr-defined]
    node.outputs = ((base._array.shape, base._array.dtype),)
    return node


def owned(view: Any) -> Any:
    """A view of a tensor that nobody else will see, as a tensor of its own: what a composed operation returns."""
    if isinstance(view, Tensor) and view._base is not None:
        view._base = view._view_origin = None
    return view


def renew_view(view: Tensor) -> None:
    """Give a view the history of its base, whose memory was written since."""
    base = view._base
    assert base is not None
    if base.requires_grad and view._array.dtype == base._array.dtype:
        check_view(view, "its base or another view of its base has been modified in place")
        node = Node(AsStrided, (base._edge(),))
        node.window = Window(view._array, base._array)  # type: ignore[attr-defined]
        node.outputs = ((view._array.shape, view._array.dtype),)
        view._node, view._nr = node, 0
        view._view_version = view._version.n
    else:  # to be looked at again, since the base may ask for gradients later
        view._node, view._nr = None, 0
