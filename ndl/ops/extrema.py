"""The larger and the smaller of two values: maximum, minimum, fmax, fmin, clamp.

The gradient goes to the operand that was chosen. Where both are equal, PyTorch gives half to each (maximum, minimum),
all to the first (fmax, fmin), or all to the input (clamp); so does this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import elementwise, keep, together
from ndl.ops.promotion import promote

__all__ = ["clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "maximum", "minimum"]


class Maximum(ArrayFunction):
    """z = max(x, y), nan if one is;  dx = dz where x > y, dz/2 where x = y;  dy alike."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x, y)
        return np.maximum(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        return _halve_ties(ctx, dz, x < y, x > y, x == y)


class Minimum(ArrayFunction):
    """z = min(x, y), nan if one is;  dx = dz where x < y, dz/2 where x = y;  dy alike."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x, y)
        return np.minimum(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        return _halve_ties(ctx, dz, x > y, x < y, x == y)


def _halve_ties(ctx: Any, dz: Any, x_lost: Any, y_lost: Any, tie: Any) -> tuple:
    """dz for who has not lost (with nan, nobody has), half of it in a tie."""
    need_dx, need_dy = ctx.needs_input_grad
    if tie.any():
        dz = dz - 0.5 * keep(dz, tie)
    return (
        keep(dz, np.logical_not(x_lost)) if need_dx else None,
        keep(dz, np.logical_not(y_lost)) if need_dy else None,
    )


def maximum(input: Any, other: Any) -> Any:
    """The larger of two values, nan if one is nan. Gradient: dz to the larger, half to each where they are equal."""
    return elementwise(Maximum, input, other)


def minimum(input: Any, other: Any) -> Any:
    """The smaller of two values, nan if one is nan. Gradient: dz to the smaller, half to each where they are equal."""
    return elementwise(Minimum, input, other)


class Fmax(ArrayFunction):
    """z = max(x, y), the other one if one is nan;  dx = dz where x was chosen (also in a tie), dy elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
            ctx.first = (x >= y) | np.isnan(y)
        return np.fmax(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return keep(dz, ctx.first), keep(dz, np.logical_not(ctx.first))


class Fmin(Fmax):
    """z = min(x, y), the other one if one is nan;  dx = dz where x was chosen (also in a tie), dy elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
            ctx.first = (x <= y) | np.isnan(y)
        return np.fmin(x, y)


def fmax(input: Any, other: Any) -> Any:
    """The larger of two values, nan only if both are. Gradient: dz to the one chosen, the first where equal."""
    return elementwise(Fmax, input, other)


def fmin(input: Any, other: Any) -> Any:
    """The smaller of two values, nan only if both are. Gradient: dz to the one chosen, the first where equal."""
    return elementwise(Fmin, input, other)


class Clamp(ArrayFunction):
    """z = min(max(x, lo), hi).

    dx = dz where lo ≤ x ≤ hi;  dlo = dz where x < lo and lo < hi;  dhi = dz where x > hi or lo > hi.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, lo: Any, hi: Any) -> np.ndarray:
        ctx.save_for_backward(x, lo, hi)
        if hi is None:
            return np.maximum(x, lo)
        return np.minimum(x, hi) if lo is None else x.clip(lo, hi)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, lo, hi = ctx.saved_tensors
        need_dx, need_dlo, need_dhi = ctx.needs_input_grad
        dx = dlo = dhi = None
        if need_dx:
            inside = x <= hi if lo is None else x >= lo if hi is None else (x >= lo) & (x <= hi)
            dx = keep(dz, inside)
        if need_dlo:
            dlo = keep(dz, x < lo if hi is None else (x < lo) & (lo < hi))
        if need_dhi:
            dhi = keep(dz, x > hi if lo is None else (x > hi) | (lo > hi))
        return dx, dlo, dhi


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input, but min where it is smaller and max where it is larger; bounds are numbers or tensors, or None.

    Where min > max the result is max. Gradients: dz to whichever of the three the result is; to the input where it
    equals a bound. Raises RuntimeError if both bounds are None.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if max is None:
        x, lo, hi = *promote(input, min), None
    elif min is None:
        x, hi = promote(input, max)
        lo = None
    else:
        x, lo, hi = promote(input, min, max)
    return together(Clamp, x, lo, hi)


clip = clamp


def clamp_min(input: Any, min: Any) -> Any:
    """input, but min where it is smaller. Gradient as ``clamp``."""
    return clamp(input, min)


def clamp_max(input: Any, max: Any) -> Any:
    """input, but max where it is larger. Gradient as ``clamp``."""
    return clamp(input, None, max)
