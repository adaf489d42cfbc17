"""Local response normalisation: each value divided by the activity of the neighbouring channels at its place.

With the window of channel c from c − ⌊n/2⌋ to c + ⌊(n − 1)/2⌋, cut at the ends:

    s_c = k + (α / n) Σ_{c' in window(c)} x_c'²,        y_c = x_c s_c^{−β}

    dx_c = dy_c s_c^{−β} − (2 α β / n) x_c Σ_{c'' : c in window(c'')} dy_c'' x_c'' s_c''^{−β−1}

The sum in the gradient runs over the channels whose window holds c: the window turned round. It is written W below, and
Wᵀ turned round. Krizhevsky, Sutskever & Hinton 2012, section 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.nn.module import Module
from ndl.ops.promotion import array_of

__all__ = ["LocalResponseNorm", "local_response_norm"]


class WindowSum(ArrayFunction):
    """y_c = Σ x over the channels c − before … c + after;  dx is the same of dy with the window turned round."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, before: int, after: int) -> np.ndarray:
        ctx.before, ctx.after = before, after
        C = x.shape[1]
        y = x.copy()
        for shift in range(1, min(before, C - 1) + 1):
            y[:, shift:] += x[:, : C - shift]
        for shift in range(1, min(after, C - 1) + 1):
            y[:, : C - shift] += x[:, shift:]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return WindowSum.apply(dy, ctx.after, ctx.before), None, None


class LocalResponseNormFunction(ArrayFunction):
    """y = x s^{−β}, s = k + (α/n) W x²;  dx = dy s^{−β} − (2αβ/n) x Wᵀ(dy x s^{−β−1})."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, n: int, alpha: float, beta: float, k: float) -> np.ndarray:
        ctx.save_for_backward(x)
        ctx.options = (n, alpha, beta, k)
        s = WindowSum.apply(x * x, n // 2, (n - 1) // 2)
        s *= alpha / n
        s += k
        y = s**-beta
        y *= x
        ctx.s = s
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        n, alpha, beta, k = ctx.options
        before, after = n // 2, (n - 1) // 2
        s = WindowSum.apply(x * x, before, after) * (alpha / n) + k if ctx.recording else ctx.s
        direct = dy * s**-beta
        through = WindowSum.apply(direct * x / s, after, before)
        return direct - (2 * alpha * beta / n) * x * through, None, None, None, None


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + alpha / size · Σ x² over ``size`` neighbouring channels)^beta, for (N, C, …).

    Gradient: see the module's text. Raises ValueError for fewer than three dimensions, RuntimeError for integers.
    """
    x = array_of(input)
    if x.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {x.ndim} dimensions)")
    if size < 1:
        raise RuntimeError(f"local_response_norm: size must be a positive number of channels, but got {size}")
    if x.size == 0:
        return input
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"local_response_norm needs a floating-point input, but got {x.dtype}; convert with .float()"
        )
    return LocalResponseNormFunction.apply(input, size, alpha, beta, k)


class LocalResponseNorm(Module):
    """Local response normalisation over ``size`` neighbouring channels of (N, C, …); see ``local_response_norm``."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
