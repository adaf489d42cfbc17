"""The sigmoid and its relatives: smooth steps, their integrals and what is left of them.

    Sigmoid      y = σ = 1 / (1 + e^−x)                dx = dy y (1 − y)
    Tanh         y = tanh x                            dx = dy (1 − y²)
    Softplus     y = ln(1 + e^βx) / β                  dx = dy σ(βx);  y = x and dx = dy where βx > threshold
    LogSigmoid   y = ln σ(x)                           dx = dy σ(−x)
    Tanhshrink   y = x − tanh x                        dx = dy tanh² x
    Softsign     y = x / (1 + |x|)                     dx = dy / (1 + |x|)²

Derivations: docs/blocks/sigmoid.md, tanh.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import activation as kernels
from ndl.nn.activation import along, curve, floating, mine, number
from ndl.nn.module import Module
from ndl.ops.elementwise import refuse, unary
from ndl.ops.hyperbolic import sigmoid as sigma
from ndl.ops.promotion import array_of

__all__ = [
    "LogSigmoid",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "logsigmoid",
    "sigmoid",
    "softplus",
    "softsign",
    "tanh",
    "tanhshrink",
]


class SigmoidFunction(ArrayFunction):
    """y = 1 / (1 + e^−x);  dx = dy y (1 − y)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = kernels.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return kernels.sigmoid_backward(dy, y, out=mine(ctx, dy))
        return dy * (1 - y) * y


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^−x). Gradient: dy y (1 − y)."""
    return unary(SigmoidFunction, input)


class Sigmoid(Module):
    """y = 1 / (1 + e^−x) for each element. Any shape."""

    def forward(self, input: Any) -> Any:
        return sigmoid(input)


class TanhFunction(ArrayFunction):
    """y = tanh x;  dx = dy (1 − y²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = kernels.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return kernels.tanh_backward(dy, y, out=mine(ctx, dy))
        return dy * (1 - y * y)


def tanh(input: Any) -> Any:
    """tanh x. Gradient: dy (1 − y²)."""
    return unary(TanhFunction, input)


class Tanh(Module):
    """y = tanh x for each element. Any shape."""

    def forward(self, input: Any) -> Any:
        return tanh(input)


class SoftPlus(ArrayFunction):
    """y = ln(1 + e^βx) / β;  dx = dy σ(βx);  y = x and dx = dy where βx > threshold."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, beta: float, threshold: float) -> np.ndarray:
        ctx.beta, ctx.threshold = beta, threshold
        return curve(ctx, x, kernels.softplus, beta, threshold)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return along(ctx, dy), None, None
        z = ctx.beta * x
        return np.where(z > ctx.threshold, dy, dy * sigma(z)), None, None


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """ln(1 + e^βx) / β, without overflow; x itself where βx > threshold. Gradient: dy σ(βx), or dy. Dugas et al. 2000."""
    floating("softplus", input)
    return SoftPlus.apply(input, number("softplus", "beta", beta), number("softplus", "threshold", threshold))


class Softplus(Module):
    """y = ln(1 + e^βx) / β for each element: a smooth max(x, 0). Any shape."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigma(ArrayFunction):
    """y = ln σ(x);  dx = dy σ(−x)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.log_sigmoid)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return along(ctx, dy) if isinstance(dy, np.ndarray) else dy * sigma(-x)


def logsigmoid(input: Any) -> Any:
    """ln(1 / (1 + e^−x)), without overflow. Gradient: dy σ(−x)."""
    floating("log_sigmoid", input)
    return LogSigma.apply(input)


class LogSigmoid(Module):
    """y = ln(1 / (1 + e^−x)) for each element. Any shape."""

    def forward(self, input: Any) -> Any:
        return logsigmoid(input)


class TanhShrink(ArrayFunction):
    """y = x − tanh x;  dx = dy tanh² x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.tanhshrink)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return along(ctx, dy) if isinstance(dy, np.ndarray) else dy * np.square(np.tanh(x))


def tanhshrink(input: Any) -> Any:
    """x − tanh x. Gradient: dy tanh² x. Integers become floats."""
    if array_of(input).dtype.kind == "b":
        raise RuntimeError("Subtraction with a bool tensor is not supported: convert tanhshrink's input with .float()")
    return unary(TanhShrink, input)


class Tanhshrink(Module):
    """y = x − tanh x for each element. Any shape."""

    def forward(self, input: Any) -> Any:
        return tanhshrink(input)


class SoftSign(ArrayFunction):
    """y = x / (1 + |x|);  dx = dy / (1 + |x|)²."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.softsign)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return along(ctx, dy) if isinstance(dy, np.ndarray) else dy / np.square(1 + np.abs(x))


def softsign(input: Any) -> Any:
    """x / (1 + |x|). Gradient: dy / (1 + |x|)². Integers become floats. Bergstra et al. 2009."""
    refuse("softsign", "b", input)
    return unary(SoftSign, input)


class Softsign(Module):
    """y = x / (1 + |x|) for each element. Any shape."""

    def forward(self, input: Any) -> Any:
        return softsign(input)
