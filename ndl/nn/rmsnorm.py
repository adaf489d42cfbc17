"""Root-mean-square normalisation: layer normalisation without the mean.

For the D values x_j of one sample's ``normalized_shape``:

    r = 1 / √(Σ_j x_j² / D + ε),   x̂ = x r,   y = γ x̂

    dγ = Σ dy x̂                               (sum over the samples)
    dx = r (γ dy − x̂ m₂)                      m₂ = Σ_j γ_j dy_j x̂_j / D

With no mean taken away there is no path through it: LayerNorm's m₁ is gone. Zhang & Sennrich 2019.
Derivation: docs/blocks/rms_norm.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.kernels.row_norm import rms_norm as normalise_rows
from ndl.kernels.row_norm import rms_norm_gradients
from ndl.nn import init
from ndl.nn.layernorm import check_normalized_shape, rows_of, vector_of
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.promotion import array_of

__all__ = ["RMSNorm", "rms_norm"]


class RMSNormFunction(ArrayFunction):
    """y = γ x r;  dx = r (γ dy − x̂ m₂),  dγ = Σ dy x̂."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, gamma: np.ndarray | None, dims: int, eps: float) -> np.ndarray:
        ctx.save_for_backward(x, gamma)
        ctx.dims, ctx.eps = dims, eps
        X = rows_of(x, math.prod(x.shape[-dims:]))  # (R, D)
        Y, ctx.r = normalise_rows(X, vector_of(gamma, X, 1), eps)
        return Y.reshape(x.shape).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        if ctx.recording:
            return _recorded_backward(x, gamma, dy, ctx.dims, ctx.eps)
        shape = x.shape[-ctx.dims :]
        D = math.prod(shape)
        dY, X = rows_of(dy, D), rows_of(x, D)  # (R, D)
        dX, dgamma = rms_norm_gradients(dY, X, ctx.r, vector_of(gamma, X, 1), ctx.needs_input_grad[0])
        return None if dX is None else dX.reshape(x.shape), dgamma.reshape(shape), None, None


def _recorded_backward(x: Any, gamma: Any, dy: Any, dims: int, eps: float) -> tuple:
    """The same gradients in operations that are recorded themselves."""
    inner = tuple(range(x.ndim - dims, x.ndim))
    D = math.prod(x.shape[-dims:])
    r = (np.sum(x * x, axis=inner, keepdims=True) / D + eps) ** -0.5
    xhat = x * r
    g = dy if gamma is None else dy * gamma
    m2 = np.sum(g * xhat, axis=inner, keepdims=True) / D
    return r * (g - xhat * m2), dy * xhat, None, None  # dγ is summed to γ's shape by the engine


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """x / √(mean x² + ε) · weight with the mean over the last dimensions, ``normalized_shape``.

    ``eps=None`` is the smallest step above 1 of the type computed in (float32 for float16). Shapes: input
    (…, *normalized_shape), weight normalized_shape, float32 or float64 whatever the input is; y has the input's type.
    Gradients: see the module's text. Raises RuntimeError where shapes or types do not fit.
    """
    x, w = array_of(input), None if weight is None else array_of(weight)
    mixed = isinstance(x, np.ndarray) and w is not None and {x.dtype.char, w.dtype.char} == {"f", "d"}
    shape = check_normalized_shape("rms_norm", x, normalized_shape, array_of(weight).astype(x.dtype) if mixed else w)
    if eps is None:
        eps = float(np.finfo(np.float64 if x.dtype == np.float64 else np.float32).eps)
    if mixed:  # unlike the other normalisations, PyTorch's takes these, and answers in the input's type
        return (RMSNormFunction.apply(input, None, len(shape), eps) * weight).to(x.dtype)
    return RMSNormFunction.apply(input, weight, len(shape), eps)


class RMSNorm(Module):
    """Root-mean-square normalisation over the last dimensions; see ``rms_norm``.

    Parameter γ (``weight``, starts at 1) of shape ``normalized_shape``; none with ``elementwise_affine=False``.
    """

    normalized_shape: tuple[int, ...]
    weight: Tensor | None

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = Size(self.normalized_shape)
        self.register_parameter(
            "weight", Parameter(empty(shape, dtype=dtype, device=device)) if elementwise_affine else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """γ = 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Any:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
