"""Views and in-place writes: the history of memory that several tensors share.

With p the positions of a view v's elements inside its base b (flattened), writing r into v is

    b'  = b;  b'[p] = r          dL/db = dL/db' with 0 at p          dL/dr = dL/db'[p]      (CopySlices)
    v'  = b'[p]                  dL/db' = 0 everywhere but dL/dv' at p                      (AsStrided)

so b becomes "b with the elements of v replaced", and v, like every other view of b, takes its history from the
new b the next time somebody asks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.graph import Node
from ndl.autograd.tensor import Tensor


def positions(view: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Where each element of ``view`` lies in ``base.reshape(-1)``, found by comparing addresses."""
    lookup = _addresses(base).reshape(-1)
    order = np.argsort(lookup, kind="stable")
    return order[np.searchsorted(lookup, _addresses(view), sorter=order)]


def _addresses(a: np.ndarray) -> np.ndarray:
    address = np.full(a.shape, a.__array_interface__["data"][0], np.int64)
    for axis, (n, stride) in enumerate(zip(a.shape, a.strides, strict=True)):
        address += (np.arange(n) * stride).reshape(-1, *[1] * (a.ndim - axis - 1))
    return address


class CopySlices(ArrayFunction):
    """b' = b with b'[p] = r."""

    @staticmethod
    def backward(ctx: Any, db: Any) -> tuple:
        p = positions(*ctx.geometry)
        keep = np.ones(db.size if isinstance(db, np.ndarray) else db.numel(), bool)
        keep[p.reshape(-1)] = False
        return db * keep.reshape(db.shape), db.reshape(-1)[p]


class AsStrided(ArrayFunction):
    """v = b[p]: what a view is, seen from its base."""

    @staticmethod
    def backward(ctx: Any, dv: Any) -> Any:
        view, base = ctx.geometry
        return Scatter.apply(dv, positions(view, base), base.shape)


class Scatter(ArrayFunction):
    """db = zeros with db[p] = dv; its own backward is dv = db[p]."""

    @staticmethod
    def forward(ctx: Any, dv: np.ndarray, p: np.ndarray, shape: tuple) -> np.ndarray:
        ctx.positions = p
        db = np.zeros(math.prod(shape), dv.dtype)
        db[p] = dv
        return db.reshape(shape)

    @staticmethod
    def backward(ctx: Any, ddb: Any) -> tuple:
        return ddb.reshape(-1)[ctx.positions], None, None


def copy_slices(view: Tensor, base: Tensor, edge: tuple) -> Node:
    """The node of ``base`` after what stands at ``edge`` was written into ``view``."""
    node = Node(CopySlices, (base._edge(), edge))
    node.geometry = (view._array, base._array)  # type: ignore[attr-defined]
    node.outputs = ((base._array.shape, base._array.dtype),)
    return node


def renew_view(view: Tensor) -> None:
    """Give a view the history of its base, whose memory was written since."""
    base = view._base
    assert base is not None
    if base.requires_grad:
        node = Node(AsStrided, (base._edge(),))
        node.geometry = (view._array, base._array)  # type: ignore[attr-defined]
        node.outputs = ((view._array.shape, view._array.dtype),)
        view._node, view._nr = node, 0
    view._view_version = view._version.n
