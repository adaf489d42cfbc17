"""Trigonometric functions, their inverses, and what belongs to angles: atan2, hypot, sinc, deg2rad, rad2deg.

y = f(x) element by element, so dx = dy · f′(x). The derivatives of the inverse functions follow from
f(f⁻¹(x)) = x, hence (f⁻¹)′(x) = 1 / f′(y); for y = asin x:  1 / cos y = 1 / √(1 − sin² y) = 1 / √(1 − x²).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import elementwise_float, keep, refuse, together, unary
from ndl.ops.promotion import promote

__all__ = [
    "acos",
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "asin",
    "atan",
    "atan2",
    "cos",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinc",
    "tan",
]


class Sin(ArrayFunction):
    """y = sin x;  dx = dy cos x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * np.cos(x)


def sin(input: Any) -> Any:
    """Sine of an angle in radians. Gradient: dy · cos(input)."""
    return unary(Sin, input)


class Cos(ArrayFunction):
    """y = cos x;  dx = −dy sin x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.cos(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return -dy * np.sin(x)


def cos(input: Any) -> Any:
    """Cosine of an angle in radians. Gradient: −dy · sin(input)."""
    return unary(Cos, input)


class Tan(ArrayFunction):
    """y = tan x;  dx = dy (1 + y²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = np.asarray(np.tan(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * (1 + y * y)


def tan(input: Any) -> Any:
    """Tangent of an angle in radians. Gradient: dy · (1 + result²)."""
    return unary(Tan, input)


class Asin(ArrayFunction):
    """y = asin x;  dx = dy / √(1 − x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arcsin(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / np.sqrt(1 - x * x)


def asin(input: Any) -> Any:
    """Angle whose sine is input, nan outside [−1, 1]. Gradient: dy / √(1 − input²)."""
    return unary(Asin, input)


arcsin = asin


class Acos(ArrayFunction):
    """y = acos x;  dx = −dy / √(1 − x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arccos(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return -dy / np.sqrt(1 - x * x)


def acos(input: Any) -> Any:
    """Angle whose cosine is input, nan outside [−1, 1]. Gradient: −dy / √(1 − input²)."""
    return unary(Acos, input)


arccos = acos


class Atan(ArrayFunction):
    """y = atan x;  dx = dy / (1 + x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arctan(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / (1 + x * x)


def atan(input: Any) -> Any:
    """Angle whose tangent is input. Gradient: dy / (1 + input²)."""
    return unary(Atan, input)


arctan = atan


class Atan2(ArrayFunction):
    """z = angle of the point (x, y), from −π to π;  dy = dz x / (x² + y²),  dx = −dz y / (x² + y²), 0 at (0, 0)."""

    @staticmethod
    def forward(ctx: Any, y: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(y, x)
        return np.arctan2(y, x)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        y, x = ctx.saved_tensors
        need_dy, need_dx = ctx.needs_input_grad
        squared = x * x + y * y
        scaled = keep(dz / squared, squared != 0)
        return scaled * x if need_dy else None, -scaled * y if need_dx else None


def atan2(input: Any, other: Any) -> Any:
    """Angle of the point with ordinate input and abscissa other, from −π to π.

    Gradients: dz · other / (input² + other²) and −dz · input / (input² + other²), 0 where both are 0.
    """
    return elementwise_float(Atan2, input, other)


arctan2 = atan2


class Hypot(ArrayFunction):
    """z = √(x² + y²), without overflow;  dx = dz x / z,  dy = dz y / z."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        z = np.asarray(np.hypot(x, y))
        ctx.save_for_backward(x, y, z)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y, z = ctx.saved_tensors
        need_dx, need_dy = ctx.needs_input_grad
        return dz * (x / z) if need_dx else None, dz * (y / z) if need_dy else None


def hypot(input: Any, other: Any) -> Any:
    """√(input² + other²), without overflow. Gradients: dz · input / result and dz · other / result.

    Raises NotImplementedError for integers.
    """
    x, y = promote(input, other)
    refuse("hypot", "biu", x)
    return together(Hypot, x, y)


class Sinc(ArrayFunction):
    """y = sin πx / πx, 1 at 0;  dx = dy (cos πx − y) / x, 0 at 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        angle = math.pi * x
        y = np.asarray(np.sin(angle) / angle)
        np.copyto(y, 1, where=x == 0)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        angle = math.pi * x
        return keep(dy * ((angle * np.cos(angle) - np.sin(angle)) / (angle * x)), angle * x != 0)


def sinc(input: Any) -> Any:
    """sin(π input) / (π input), 1 at 0. Gradient: dy · (cos(π input) − result) / input, 0 at 0."""
    return unary(Sinc, input)


class Scale(ArrayFunction):
    """y = c x;  dx = dy c."""

    @staticmethod
    def forward(ctx: Any, x: Any, c: float) -> np.ndarray:
        ctx.c = c
        return x * c

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy * ctx.c, None


def deg2rad(input: Any) -> Any:
    """Degrees to radians: input · π / 180. Gradient: dy · π / 180."""
    return unary(Scale, input, math.pi / 180)


def rad2deg(input: Any) -> Any:
    """Radians to degrees: input · 180 / π. Gradient: dy · 180 / π."""
    return unary(Scale, input, 180 / math.pi)
