"""Powers and roots: pow, square, reciprocal, sqrt, rsqrt.

For z = x^y, from z = exp(y log x):  ∂z/∂x = y x^(y−1)  and  ∂z/∂y = z log x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import keep, refuse, together, unary
from ndl.ops.promotion import array_of, promote

__all__ = ["pow", "reciprocal", "rsqrt", "sqrt", "square"]


class Pow(ArrayFunction):
    """z = x^y;  dx = dz y x^(y−1), 0 where y = 0;  dy = dz z log x, 0 where x = 0 and y ≥ 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        z = np.asarray(np.power(x, y) if x.dtype.kind == "f" else _integer_power(x, y))
        ctx.save_for_backward(x, y, z if ctx.needs_input_grad[1] else None)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y, z = ctx.saved_tensors
        dx = dy = None
        if ctx.needs_input_grad[0]:
            dx = keep(dz * (y * x ** (y - 1)), y != 0)
        if ctx.needs_input_grad[1]:
            dy = keep(dz * (z * np.log(x)), np.logical_not((x == 0) & (y >= 0)))
        return dx, dy


class PowNumber(ArrayFunction):
    """z = x^p for a number p;  dx = dz p x^(p−1), 0 if p = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, p: float) -> np.ndarray:
        ctx.p = p
        ctx.save_for_backward(x)
        if p == 2:  # products and roots are many times faster than the general power
            return np.square(x)
        if p == 3:
            return np.multiply(np.square(x), x)
        if p == 0.5:
            return np.sqrt(x)
        if p == -1:
            return np.reciprocal(x)
        if p == -0.5:
            return 1 / np.sqrt(x)
        return np.power(x, p)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        (x,) = ctx.saved_tensors
        p = ctx.p
        if p == 0:
            return np.zeros_like(array_of(dz)), None
        return dz * (p * (x if p == 2 else PowNumber.apply(x, p - 1))), None


def _integer_power(x: Any, y: Any) -> Any:
    """x^y in integers, where 1 / x^|y| is 0 unless x is 1 or −1."""
    z = np.power(x, np.maximum(y, 0))
    return np.where(y < 0, np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y & 1), 0)), z).astype(z.dtype, copy=False)


def pow(input: Any, exponent: Any) -> Any:
    """input ^ exponent, the operator ``**``; one of them may be a number.

    Gradients: dz · exponent · input^(exponent − 1), 0 where the exponent is 0; and dz · result · log(input), 0 where
    input is 0 and the exponent is not negative. Raises RuntimeError for integers to the power of a negative whole
    number, and NotImplementedError for booleans to the power of booleans.
    """
    x, y = promote(input, exponent)
    d = array_of(x).dtype
    if isinstance(exponent, (int, float)):
        if d.kind in "iu" and exponent < 0:
            raise RuntimeError(
                f"Integers to negative integer powers are not allowed: got the power {exponent} of {d}; convert the "
                "tensor with .float() first"
            )
        if d.kind != "b":
            return PowNumber.apply(x, float(exponent) if d.kind == "f" else exponent)
    refuse("pow", "b", x)
    return together(Pow, x, y)


def square(input: Any) -> Any:
    """input². Gradient: dz · 2 input."""
    return pow(input, 2)


class Reciprocal(ArrayFunction):
    """z = 1 / x;  dx = −dz z²."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        z = np.asarray(np.reciprocal(x))
        ctx.save_for_backward(z)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        (z,) = ctx.saved_tensors
        return -dz * (z * z)


def reciprocal(input: Any) -> Any:
    """1 / input. Gradient: −dz · result²."""
    return unary(Reciprocal, input)


class Sqrt(ArrayFunction):
    """z = √x;  dx = dz / 2z, which is infinite at 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        z = np.asarray(np.sqrt(x))
        ctx.save_for_backward(z)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        (z,) = ctx.saved_tensors
        return dz / (2 * z)


def sqrt(input: Any) -> Any:
    """√input. Gradient: dz / (2 result), infinite at 0."""
    return unary(Sqrt, input)


class Rsqrt(ArrayFunction):
    """z = 1 / √x;  dx = −½ dz z³."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        z = np.asarray(1 / np.sqrt(x))
        ctx.save_for_backward(z)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        (z,) = ctx.saved_tensors
        return -0.5 * dz * (z * z * z)


def rsqrt(input: Any) -> Any:
    """1 / √input. Gradient: −½ dz · result³."""
    return unary(Rsqrt, input)
