"""Elements picked along one axis by their places: what max, sort, topk and median have in common.

    y_k = x_{i_k}                  dx = 0 but for  dx_{i_k} = dy_k          (Pick)
    z = 0 but for  z_{i_k} = y_k   dy_k = dz_{i_k}                          (Drop)

Each is the other's backward. No place may occur twice within one line along the axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.promotion import array_of


class Pick(ArrayFunction):
    """y = x at places i along an axis, and i itself;  dx = 0 but for dy at those places.

    i has all dimensions of x; ``keepdim`` False takes the axis, of length 1 then, away from both results.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, i: np.ndarray, axis: int, keepdim: bool) -> tuple:
        y = np.take_along_axis(x, i, axis)
        if not keepdim:
            y, i = y.squeeze(axis), i.squeeze(axis)
        ctx.set_materialize_grads(False)  # no zeros for di, which nobody reads
        ctx.size, ctx.axis, ctx.keepdim = x.shape[axis], axis, keepdim
        ctx.save_for_backward(i)
        return y, i

    @staticmethod
    def backward(ctx: Any, dy: Any, di: Any) -> tuple:
        (i,) = ctx.saved_tensors
        return Drop.apply(dy, array_of(i), ctx.axis, ctx.keepdim, ctx.size), None, None, None


class Drop(ArrayFunction):
    """z = 0 but for y at places i along an axis of length ``size``;  dy = dz at those places."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, i: np.ndarray, axis: int, keepdim: bool, size: int) -> np.ndarray:
        if not keepdim:
            y, i = np.expand_dims(y, axis), np.expand_dims(i, axis)
        ctx.i, ctx.axis, ctx.keepdim = i, axis, keepdim
        z = np.zeros((*y.shape[:axis], size, *y.shape[axis + 1 :]), y.dtype)
        np.put_along_axis(z, i, y, axis)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        dy, _ = Pick.apply(dz, ctx.i, ctx.axis, ctx.keepdim)
        return dy, None, None, None, None
