"""Arithmetic: add, sub, mul, div and their kin, with PyTorch's broadcasting and type promotion.

Every operation here works element by element, z_i = f(x_i, y_i), so each backward is dx_i = dz_i · ∂f/∂x_i. Where
broadcasting read an element several times, the engine sums its gradients (``ndl.autograd.engine.sum_to_shape``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.promotion import promote, to_float


class Add(ArrayFunction):
    """z = x + y;  dx = dz,  dy = dz."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        return np.add(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return dz, dz


class Mul(ArrayFunction):
    """z = x y;  dx = dz y,  dy = dz x."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        need_dx, need_dy = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_dy else None, y if need_dx else None)  # keep only what will be used
        return np.multiply(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        return (dz * y if ctx.needs_input_grad[0] else None, dz * x if ctx.needs_input_grad[1] else None)


class Div(ArrayFunction):
    """z = x / y;  dx = dz / y,  dy = −dz x / y²."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, y)
        return np.true_divide(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        dx = dz / y
        return dx, (-dx * (x / y) if ctx.needs_input_grad[1] else None)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha · other. Gradients: dz and alpha dz."""
    if alpha != 1:
        other = mul(other, alpha)
    return Add.apply(*promote(input, other))


def mul(input: Any, other: Any) -> Any:
    """input · other. Gradients: dz · other and dz · input."""
    return Mul.apply(*promote(input, other))


def div(input: Any, other: Any) -> Any:
    """input / other."""
    x, y = promote(input, other)
    return Div.apply(to_float(x), to_float(y))
