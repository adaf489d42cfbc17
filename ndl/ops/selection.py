"""Choosing element by element: where."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.elementwise import keep
from ndl.ops.masking import nonzero
from ndl.ops.promotion import array_of, promote

__all__ = ["where"]


class Where(ArrayFunction):
    """z = x where c, else y;  dx = dz where c, else 0,  dy = dz where not c, else 0."""

    @staticmethod
    def forward(ctx: Any, c: np.ndarray, x: Any, y: Any) -> np.ndarray:
        ctx.c = c
        return np.where(c, x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        _, need_dx, need_dy = ctx.needs_input_grad
        c = np.broadcast_to(ctx.c, dz.shape)
        return None, keep(dz, c) if need_dx else None, keep(dz, ~c) if need_dy else None


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition``, else ``other``; ``where(condition)`` alone gives the indices that are true.

    The three broadcast, and ``input`` and ``other`` are promoted to one type. Gradients: dz where the element was
    taken, 0 elsewhere. Raises RuntimeError for a condition that is not bool.
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or a condition with both input and other")
    c = array_of(condition)
    if not isinstance(c, np.ndarray) or c.dtype not in (np.bool_, np.uint8):
        kind = c.dtype if isinstance(c, np.ndarray) else type(c).__name__
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got {kind}; compare first, as in x > 0"
        )
    x, y = promote(input, other)
    try:
        return Where.apply(c.astype(bool, copy=False), x, y) if _some_tensor(x, y) else _plain(condition, c, x, y)
    except ValueError:
        shapes = [list(np.shape(array_of(v))) for v in (condition, input, other)]
        raise RuntimeError(f"where: the shapes {shapes} of condition, input and other do not broadcast") from None


def where_method(self: Any, condition: Any, other: Any) -> Any:
    """``x.where(condition, other)``: x where the condition holds, else other."""
    return where(condition, self, other)


def _some_tensor(*values: Any) -> bool:
    return any(isinstance(v, Tensor) for v in values)


def _plain(condition: Any, c: np.ndarray, x: Any, y: Any) -> Any:
    """Numbers or arrays only: a tensor if the condition was one."""
    z = np.where(c, x, y)
    return Tensor._wrap(z) if isinstance(condition, Tensor) else z
