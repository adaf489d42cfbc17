"""The error function, the gamma function's logarithm, and their derivatives, which need no other functions.

With erf x = 2/√π ∫₀ˣ e^(−t²) dt, its derivative is 2/√π e^(−x²). The derivative of lgamma is digamma, that of
digamma is polygamma(1), and so on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import special
from ndl.kernels.polygamma import polygamma as polygamma_kernel
from ndl.ops.elementwise import unary

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]

TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)


class Erf(ArrayFunction):
    """y = erf x;  dx = dy 2/√π e^(−x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return special.erf(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * (TWO_BY_ROOT_PI * np.exp(-(x * x)))


def erf(input: Any) -> Any:
    """The error function. Gradient: dy · 2/√π · exp(−input²)."""
    return unary(Erf, input)


class Erfc(ArrayFunction):
    """y = 1 − erf x;  dx = −dy 2/√π e^(−x²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return special.erfc(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * (-TWO_BY_ROOT_PI * np.exp(-(x * x)))


def erfc(input: Any) -> Any:
    """1 − erf(input), without losing the digits of a small result. Gradient: −dy · 2/√π · exp(−input²)."""
    return unary(Erfc, input)


class Erfinv(ArrayFunction):
    """y = the number with erf y = x;  dx = dy √π/2 e^(y²)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return special.erfinv(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * (np.exp(np.square(erfinv(x))) / TWO_BY_ROOT_PI)


def erfinv(input: Any) -> Any:
    """The inverse of erf: ±inf at ±1, nan beyond. Gradient: dy · √π/2 · exp(result²)."""
    return unary(Erfinv, input)


class Lgamma(ArrayFunction):
    """y = ln |Γ(x)|;  dx = dy ψ(x)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return special.lgamma(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * digamma(x)


def lgamma(input: Any) -> Any:
    """Logarithm of |Γ(input)|, inf at 0, −1, −2, … Gradient: dy · digamma(input)."""
    return unary(Lgamma, input)


class Polygamma(ArrayFunction):
    """y = ψ⁽ⁿ⁾(x), with ψ⁽⁰⁾ = digamma = (ln Γ)′;  dx = dy ψ⁽ⁿ⁺¹⁾(x)."""

    @staticmethod
    def forward(ctx: Any, x: Any, n: int) -> np.ndarray:
        ctx.n = n
        ctx.save_for_backward(x)
        return special.digamma(x) if n == 0 else polygamma_kernel(n, x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        return dy * polygamma(ctx.n + 1, x), None


def digamma(input: Any) -> Any:
    """Derivative of lgamma. Gradient: dy · polygamma(1, input)."""
    return unary(Polygamma, input, 0)


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma. Gradient: dy · polygamma(n + 1, input). Raises RuntimeError for negative n."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n: got n = {n}")
    return unary(Polygamma, input, n)
