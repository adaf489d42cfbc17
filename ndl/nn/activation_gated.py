"""Activations that let x through a gate: x itself, or one half of it, times something between 0 and 1.

    SiLU         y = x σ(x)                            dx = dy (σ + y (1 − σ))
    GELU         y = x Φ(x)                            dx = dy (Φ + x φ)
    GELU, tanh   y = x ½ (1 + tanh u) = x σ(2u)        dx = dy (σ + y (1 − σ) 2u'),  u = √(2/π) (x + 0.044715 x³)
    Mish         y = x w,  w = tanh(softplus x)        dx = dy (w + x (1 − w²) σ(x))
    GLU          y = a σ(b), (a, b) = the halves of x  da = dy σ(b),  db = dy a σ(b) (1 − σ(b))

σ is the sigmoid, Φ the normal distribution function and φ its density.
Derivations: docs/blocks/silu.md, gelu.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import activation as kernels
from ndl.nn.activation import along, curve, floating, maybe_in_place
from ndl.nn.activation_sigmoid import softplus
from ndl.nn.module import Module
from ndl.ops.hyperbolic import sigmoid as sigma
from ndl.ops.special import erf

__all__ = ["GELU", "GLU", "Mish", "SiLU", "gelu", "glu", "mish", "silu"]


class Silu(ArrayFunction):
    """y = x σ(x);  dx = dy (σ + y (1 − σ))."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.silu)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return along(ctx, dy)
        σ = sigma(x)
        return dy * (σ + x * σ * (1 - σ))


def silu(input: Any, inplace: bool = False) -> Any:
    """x σ(x), also called swish. Gradient: dy (σ + y (1 − σ)). Elfwing et al. 2017."""
    floating("silu", input)
    return maybe_in_place(Silu.apply, input, inplace)


class SiLU(Module):
    """y = x σ(x) for each element. Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return silu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Gelu(ArrayFunction):
    """y = x Φ(x);  dx = dy (Φ + x φ)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.gelu)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return along(ctx, dy)
        Φ = 0.5 * (1 + erf(x * kernels.ROOT_HALF))
        φ = kernels.DENSITY * np.exp(x * x * -0.5)
        return dy * (Φ + x * φ)


class GeluTanh(ArrayFunction):
    """y = x σ(2u), u = √(2/π) (x + 0.044715 x³);  dx = dy (σ + y (1 − σ) 2u')."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.gelu_tanh)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return along(ctx, dy)
        c = 2 * kernels.ROOT_2_BY_PI
        σ = sigma(c * (x + kernels.CUBIC * x * x * x))
        return dy * (σ + x * σ * (1 - σ) * (c + 3 * c * kernels.CUBIC * x * x))


def gelu(input: Any, *, approximate: str = "none") -> Any:
    """x Φ(x), or with ``approximate='tanh'`` x ½ (1 + tanh(√(2/π) (x + 0.044715 x³))). Hendrycks & Gimpel 2016.

    Gradient: dy (Φ + x φ), or the approximation's own. Raises RuntimeError for another ``approximate``.
    """
    floating("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}")
    return (GeluTanh if approximate == "tanh" else Gelu).apply(input)


class GELU(Module):
    """y = x Φ(x) for each element, or its approximation by tanh. Any shape."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        return gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class MishFunction(ArrayFunction):
    """y = x w, w = tanh(softplus x);  dx = dy (w + x (1 − w²) σ(x))."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return curve(ctx, x, kernels.mish)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return along(ctx, dy)
        w = np.tanh(softplus(x))
        return dy * (w + x * (1 - w * w) * sigma(x))


def mish(input: Any, inplace: bool = False) -> Any:
    """x tanh(softplus x). Gradient: dy (w + x (1 − w²) σ(x)), w = tanh(softplus x). Misra 2019."""
    floating("mish", input)
    return maybe_in_place(MishFunction.apply, input, inplace)


class Mish(Module):
    """y = x tanh(softplus x) for each element. Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return mish(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GluFunction(ArrayFunction):
    """y = a σ(b), a and b the halves of x along ``dim``;  da = dy σ(b),  db = dy a σ(b) (1 − σ(b))."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        ctx.dim = dim
        ctx.save_for_backward(x)
        a, b = halves(x, dim)  # (…, n, …) each, from (…, 2n, …)
        return a * kernels.sigmoid(b)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        a, b = halves(x, ctx.dim)
        σ = sigma(b)
        da = dy * σ
        db = da * a * (1 - σ)
        return np.concatenate([da, db], ctx.dim), None  # (…, 2n, …)


def halves(x: Any, dim: int) -> tuple[Any, Any]:
    """The first and the second half along a dimension counted from the front."""
    n, before = x.shape[dim] // 2, (slice(None),) * dim
    return x[(*before, slice(0, n))], x[(*before, slice(n, None))]


def glu(input: Any, dim: int = -1) -> Any:
    """a σ(b), where a and b are the halves of the input along ``dim``: the gated linear unit. Dauphin et al. 2017.

    Gradients: da = dy σ(b), db = dy a σ(b) (1 − σ(b)). Raises RuntimeError for an odd size or no dimension.
    """
    x = floating("glu", input)
    if x.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    if not -x.ndim <= dim < x.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-x.ndim}, {x.ndim - 1}], but got {dim})"
        )
    dim %= x.ndim
    if x.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {x.shape[dim]}")
    return GluFunction.apply(input, dim)


class GLU(Module):
    """y = a σ(b), a and b the halves along ``dim``: (…, 2n, …) -> (…, n, …)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
