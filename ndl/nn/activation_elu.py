"""Activations that are linear above zero and a saturating exponential below it.

    y = c x where x > 0, else k (e^bx − 1)            dx = c dy where x > 0, else k b e^bx dy

    ELU    c = 1, k = α, b = 1              Clevert et al. 2016
    CELU   c = 1, k = α, b = 1/α            Barron 2017: its derivative is continuous for every α
    SELU   c = λ, k = λ α, b = 1            Klambauer et al. 2017: with their λ and α, mean 0 and variance 1 are a
                                            fixed point of a deep network

Since k e^bx = y + k, the result alone gives the gradient below zero, b (y + k) dy: enough for the in-place forms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.activation_kinked import elu as elu_kernel
from ndl.kernels.activation_kinked import elu_slope
from ndl.nn.activation import floating, mine, number
from ndl.nn.module import Module

__all__ = ["CELU", "ELU", "SELU", "celu", "celu_", "elu", "elu_", "selu", "selu_"]

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


class Elu(ArrayFunction):
    """y = c x where x > 0, else k (e^bx − 1);  dx = c dy where x > 0, else k b e^bx dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, k: float, c: float, b: float) -> np.ndarray:
        ctx.k, ctx.c, ctx.b = k, c, b
        ctx.save_for_backward(x)
        return elu_kernel(x, k, c, b)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        k, c, b = ctx.k, ctx.c, ctx.b
        if isinstance(dy, np.ndarray):
            return elu_slope(dy, x, k, c, b, out=mine(ctx, dy)), None, None, None
        return dy * np.where(x <= 0, k * b * np.exp(b * np.minimum(x, 0)), c), None, None, None


class EluInPlace(ArrayFunction):
    """``Elu`` in x's own memory: as long as k ≥ 0, y has the sign of x, and dx = b (y + k) dy below zero."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, k: float, c: float, b: float) -> np.ndarray:
        ctx.k, ctx.c, ctx.b = k, c, b
        elu_kernel(x, k, c, b, out=x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (y,) = ctx.saved_tensors
        if ctx.k < 0:
            raise RuntimeError(
                f"elu_ cannot find its gradient with the negative alpha {ctx.k}: the result does not tell the sign of "
                "the input. Use elu, out of place."
            )
        return dy * np.where(y <= 0, ctx.b * (y + ctx.k), ctx.c), None, None, None


def _elu(name: str, input: Any, k: float, c: float, b: float, inplace: bool) -> Any:
    floating(name, input)
    return (EluInPlace if inplace else Elu).apply(input, k, c, b)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha (e^x − 1). Gradient: dy where x > 0, else alpha e^x dy."""
    return _elu("elu", input, number("elu", "alpha", alpha), 1.0, 1.0, inplace)


def elu_(input: Any, alpha: float = 1.0) -> Any:
    """``elu`` written into the tensor's own memory."""
    return elu(input, alpha, inplace=True)


def selu(input: Any, inplace: bool = False) -> Any:
    """λ x where x > 0, else λ α (e^x − 1), with λ = 1.0507… and α = 1.6733…  Gradient: λ dy, or λ α e^x dy."""
    return _elu("selu", input, SELU_ALPHA * SELU_SCALE, SELU_SCALE, 1.0, inplace)


def selu_(input: Any) -> Any:
    """``selu`` written into the tensor's own memory."""
    return selu(input, inplace=True)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha (e^(x/alpha) − 1). Gradient: dy, or e^(x/alpha) dy. RuntimeError for alpha = 0."""
    α = number("celu", "alpha", alpha)
    if α == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU; use relu")
    return _elu("celu", input, α, 1.0, 1 / α, inplace)


def celu_(input: Any, alpha: float = 1.0) -> Any:
    """``celu`` written into the tensor's own memory."""
    return celu(input, alpha, inplace=True)


class ELU(Module):
    """y = x where x > 0, else alpha (e^x − 1). Any shape."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(Module):
    """y = x where x > 0, else alpha (e^(x/alpha) − 1). Any shape."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Module):
    """y = λ x where x > 0, else λ α (e^x − 1), the self-normalising pair λ, α. Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return selu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""
