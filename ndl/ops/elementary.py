"""Exponentials and logarithms: exp, log, their other bases, and the stable forms near 0 and for sums of exponentials.

y = f(x) element by element, so dx = dy · f′(x). Where f′ is simplest in y (exp′ = exp), y is what is kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import elementwise_float, keep, refuse, together, unary
from ndl.ops.promotion import promote

__all__ = ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "xlogy"]

LN2 = math.log(2.0)
LN10 = math.log(10.0)


class Exp(ArrayFunction):
    """y = eˣ;  dx = dy y."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = np.asarray(np.exp(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * y


def exp(input: Any) -> Any:
    """e to the input. Gradient: dy · result."""
    return unary(Exp, input)


class Exp2(ArrayFunction):
    """y = 2ˣ;  dx = dy y ln 2."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = np.asarray(np.exp2(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * y * LN2


def exp2(input: Any) -> Any:
    """2 to the input. Gradient: dy · result · ln 2."""
    return unary(Exp2, input)


class Expm1(ArrayFunction):
    """y = eˣ − 1, exact for small x;  dx = dy (y + 1)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        y = np.asarray(np.expm1(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return dy * (y + 1)


def expm1(input: Any) -> Any:
    """exp(input) − 1 without losing the digits of a small input. Gradient: dy · (result + 1)."""
    return unary(Expm1, input)


class Log(ArrayFunction):
    """y = ln x;  dx = dy / x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / x


def log(input: Any) -> Any:
    """Natural logarithm: −inf at 0, nan below. Gradient: dy / input."""
    return unary(Log, input)


class Log1p(ArrayFunction):
    """y = ln(1 + x), exact for small x;  dx = dy / (1 + x)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log1p(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / (x + 1)


def log1p(input: Any) -> Any:
    """log(1 + input) without losing the digits of a small input. Gradient: dy / (1 + input)."""
    return unary(Log1p, input)


class Log2(ArrayFunction):
    """y = log₂ x;  dx = dy / (x ln 2)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log2(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / (x * LN2)


def log2(input: Any) -> Any:
    """Logarithm to base 2. Gradient: dy / (input · ln 2)."""
    return unary(Log2, input)


class Log10(ArrayFunction):
    """y = log₁₀ x;  dx = dy / (x ln 10)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log10(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy / (x * LN10)


def log10(input: Any) -> Any:
    """Logarithm to base 10. Gradient: dy / (input · ln 10)."""
    return unary(Log10, input)


class Logaddexp(ArrayFunction):
    """z = ln(eˣ + eʸ);  dx = dz / (1 + e^(y−x)),  dy = dz / (1 + e^(x−y))."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x, y)
        return np.logaddexp(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        need_dx, need_dy = ctx.needs_input_grad
        return dz / (1 + np.exp(y - x)) if need_dx else None, dz / (1 + np.exp(x - y)) if need_dy else None


def logaddexp(input: Any, other: Any) -> Any:
    """log(exp(input) + exp(other)), without overflow. Gradients: dz · softmax of the two.

    Raises NotImplementedError for integers.
    """
    return _of_floats("logaddexp", Logaddexp, input, other)


class Logaddexp2(ArrayFunction):
    """z = log₂(2ˣ + 2ʸ);  dx = dz / (1 + 2^(y−x)),  dy = dz / (1 + 2^(x−y))."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x, y)
        return np.logaddexp2(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        need_dx, need_dy = ctx.needs_input_grad
        return dz / (1 + np.exp2(y - x)) if need_dx else None, dz / (1 + np.exp2(x - y)) if need_dy else None


def logaddexp2(input: Any, other: Any) -> Any:
    """log2(2^input + 2^other), without overflow. Gradients: dz · 2^(input − result) and dz · 2^(other − result).

    Raises NotImplementedError for integers.
    """
    return _of_floats("logaddexp2", Logaddexp2, input, other)


def _of_floats(name: str, function: type[ArrayFunction], input: Any, other: Any) -> Any:
    x, y = promote(input, other)
    refuse(name, "biu", x)
    return together(function, x, y)


class Xlogy(ArrayFunction):
    """z = x ln y, 0 where x = 0;  dx = dz ln y, 0 where x = 0 and y ≤ 0;  dy = dz x / y."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x, y)
        log_y = np.log(y) if isinstance(y, np.ndarray) else float(np.log(y))  # NumPy's number would be float64
        return keep(x * log_y, (x != 0) | np.isnan(y))

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        need_dx, need_dy = ctx.needs_input_grad
        return keep(
            xlogy(dz, y), np.logical_not((x == 0) & (y <= 0))
        ) if need_dx else None, dz * x / y if need_dy else None


def xlogy(input: Any, other: Any) -> Any:
    """input · log(other), 0 where input is 0 unless other is nan; one of them may be a number.

    Gradients: dz · log(other), 0 where input is 0 and other ≤ 0; and dz · input / other.
    """
    return elementwise_float(Xlogy, input, other)
