"""Hyperbolic functions and their inverses, and the sigmoid, which is a tanh: σ(x) = (1 + tanh(x/2)) / 2.

y = f(x) element by element, so dx = dy · f′(x), with sinh′ = cosh, cosh′ = sinh, and tanh′ = 1 − tanh² since
cosh² − sinh² = 1. The inverses follow from (f⁻¹)′(x) = 1 / f′(y); for y = asinh x:  1 / cosh y = 1 / √(x² + 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import special
from ndl.ops.elementwise import keep, unary

__all__ = [
    "acosh",
    "arccosh",
    "arcsinh",
    "arctanh",
    "asinh",
    "atanh",
    "cosh",
    "logit",
    "sigmoid",
    "sinh",
    "tanh",
]


class Sinh(ArrayFunction):
    """y = (eˣ − e⁻ˣ) / 2;  dx = dy cosh x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.sinh(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * np.cosh(x)


def sinh(input: Any) -> Any:
    """Hyperbolic sine. Gradient: dy · cosh(input)."""
    return unary(Sinh, input)


class Cosh(ArrayFunction):
    """y = (eˣ + e⁻ˣ) / 2;  dx = dy sinh x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.cosh(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * np.sinh(x)


def cosh(input: Any) -> Any:
    """Hyperbolic cosine. Gradient: dy · sinh(input)."""
    return unary(Cosh, input)


class Tanh(ArrayFunction):
    """y = sinh x / cosh x;  dx = dy (1 − y²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = np.asarray(np.tanh(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * (1 - y * y)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent. Gradient: dy · (1 − result²)."""
    return unary(Tanh, input)


class Asinh(ArrayFunction):
    """y = asinh x;  dx = dy / √(x² + 1)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arcsinh(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / np.sqrt(x * x + 1)


def asinh(input: Any) -> Any:
    """Inverse of sinh. Gradient: dy / √(input² + 1)."""
    return unary(Asinh, input)


arcsinh = asinh


class Acosh(ArrayFunction):
    """y = acosh x;  dx = dy / √(x² − 1)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arccosh(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / np.sqrt(x * x - 1)


def acosh(input: Any) -> Any:
    """Inverse of cosh, nan below 1. Gradient: dy / √(input² − 1)."""
    return unary(Acosh, input)


arccosh = acosh


class Atanh(ArrayFunction):
    """y = atanh x;  dx = dy / (1 − x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arctanh(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / (1 - x * x)


def atanh(input: Any) -> Any:
    """Inverse of tanh, nan outside [−1, 1]. Gradient: dy / (1 − input²)."""
    return unary(Atanh, input)


arctanh = atanh


class Sigmoid(ArrayFunction):
    """y = 1 / (1 + e⁻ˣ);  dx = dy y (1 − y)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = special.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * (1 - y) * y


def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(−input)). Gradient: dy · result · (1 − result)."""
    return unary(Sigmoid, input)


class Logit(ArrayFunction):
    """y = ln(z / (1 − z)) for z = x, or z = x clamped to [ε, 1 − ε];  dx = dy / (x (1 − x)), 0 where x was clamped."""

    @staticmethod
    def forward(ctx: Any, x: Any, eps: float | None) -> np.ndarray:
        ctx.eps = eps
        ctx.save_for_backward(x)
        z = x if eps is None else np.minimum(np.maximum(x, eps), 1 - eps)
        return np.log(z / (1 - z))

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        dx = dy / (x * (1 - x))
        if ctx.eps is None:
            return np.where((x < 0) | (x > 1), np.nan, dx), None  # where the result is nan
        return keep(dx, np.logical_not((x < ctx.eps) | (x > 1 - ctx.eps))), None


def logit(input: Any, eps: float | None = None) -> Any:
    """log(input / (1 − input)), the inverse of sigmoid; with ``eps``, of input clamped to [eps, 1 − eps].

    Gradient: dy / (input · (1 − input)); outside the interval 0 with ``eps``, nan without.
    """
    return unary(Logit, input, eps)
