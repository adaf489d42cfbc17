"""Layer normalisation: over the last dimensions of each sample.

For the D values x_j of one sample's ``normalized_shape``:

    μ = Σ_j x_j / D,   σ² = Σ_j (x_j − μ)² / D,   r = 1 / √(σ² + ε),   x̂ = (x − μ) r,   y = γ x̂ + β

    dβ = Σ dy,   dγ = Σ dy x̂                  (sums over the samples)
    dx = r (γ dy − m₁ − x̂ m₂)                 m₁ = Σ_j γ_j dy_j / D,   m₂ = Σ_j γ_j dy_j x̂_j / D

m₁ is the path through μ, m₂ the path through σ². Unlike batch normalisation, γ and β differ along the normalised
dimensions, so γ stands inside the sums. Ba, Kiros & Hinton 2016. Derivation: docs/blocks/layer_norm.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.kernels.row_norm import layer_norm as normalise_rows
from ndl.kernels.row_norm import layer_norm_gradients
from ndl.nn import init
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.promotion import array_of

__all__ = ["LayerNorm", "check_normalized_shape", "check_types", "layer_norm", "rows_of", "vector_of"]


def rows_of(x: np.ndarray, D: int) -> np.ndarray:
    """x as a C-contiguous matrix (R, D), in float32 if it has fewer digits."""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    return np.ascontiguousarray(wide).reshape(x.size // D if D else 0, D)


def vector_of(v: np.ndarray | None, X: np.ndarray, default: float) -> np.ndarray:
    """γ or β as a vector for the rows of X; ``default`` everywhere if there is none."""
    return np.full(X.shape[1], default, X.dtype) if v is None else np.ascontiguousarray(v, X.dtype).reshape(-1)


class LayerNormFunction(ArrayFunction):
    """y = γ x̂ + β;  dx = r (γ dy − m₁ − x̂ m₂),  dγ = Σ dy x̂,  dβ = Σ dy."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None, dims: int, eps: float
    ) -> np.ndarray:
        ctx.save_for_backward(x, gamma)
        ctx.dims, ctx.eps = dims, eps
        X = rows_of(x, math.prod(x.shape[-dims:]))  # (R, D)
        Y, ctx.mean, ctx.r = normalise_rows(X, vector_of(gamma, X, 1), vector_of(beta, X, 0), eps)
        return Y.reshape(x.shape).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        if ctx.recording:
            return _recorded_backward(x, gamma, dy, ctx.dims, ctx.eps)
        shape = x.shape[-ctx.dims :]
        D = math.prod(shape)
        dY, X = rows_of(dy, D), rows_of(x, D)  # (R, D)
        need_dx = ctx.needs_input_grad[0]
        dX, dgamma, dbeta = layer_norm_gradients(dY, X, ctx.mean, ctx.r, vector_of(gamma, X, 1), need_dx)
        dx = None if dX is None else dX.reshape(x.shape)
        return dx, dgamma.reshape(shape), dbeta.reshape(shape), None, None


def _recorded_backward(x: Any, gamma: Any, dy: Any, dims: int, eps: float) -> tuple:
    """The same gradients in operations that are recorded themselves."""
    inner = tuple(range(x.ndim - dims, x.ndim))
    D = math.prod(x.shape[-dims:])
    centred = x - np.sum(x, axis=inner, keepdims=True) / D
    r = (np.sum(centred * centred, axis=inner, keepdims=True) / D + eps) ** -0.5
    xhat = centred * r
    g = dy if gamma is None else dy * gamma
    m1 = np.sum(g, axis=inner, keepdims=True) / D
    m2 = np.sum(g * xhat, axis=inner, keepdims=True) / D
    return r * (g - m1 - xhat * m2), dy * xhat, dy, None, None  # summed to γ's and β's shape by the engine


def check_types(name: str, x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None) -> None:
    """Raise RuntimeError unless x is floating and γ and β are of its type, or float32 for a float16 x."""
    if x.dtype.kind != "f":
        raise RuntimeError(f"{name} needs a floating-point input, but got {x.dtype}; convert it with .float()")
    for what, v in (("weight", weight), ("bias", bias)):
        if v is not None and v.dtype != x.dtype and (x.dtype != np.float16 or v.dtype != np.float32):
            raise RuntimeError(
                f"{name}: expected {what} of the input's type {x.dtype}, but got {v.dtype}; convert with .to(dtype)"
            )


def check_normalized_shape(name: str, x: Any, shape: Any, weight: Any, bias: Any = None) -> tuple[int, ...]:
    """``normalized_shape`` as a tuple. Raises TypeError or RuntimeError where the arguments do not fit together."""
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(x).__name__}; wrap it in ndl.tensor(…)")
    if not isinstance(shape, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'normalized_shape' must be a tuple of ints, such as input.shape[-1:], not {shape!r}"
        )
    shape = tuple(int(n) for n in shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for what, v in (("weight", weight), ("bias", bias)):
        if v is not None and v.shape != shape:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(v.shape)} and "
                f"normalized_shape = {list(shape)}"
            )
    if x.shape[max(x.ndim - len(shape), 0) :] != shape:
        wanted = ", ".join(["*", *map(str, shape)])
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [{wanted}], but got input of size"
            f"{list(x.shape)}"
        )
    check_types(name, x, weight, bias)
    return shape


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x − μ) / √(σ² + ε) · weight + bias with μ and σ² (divided by D) over the last dimensions, ``normalized_shape``.

    Shapes: input (…, *normalized_shape); weight and bias normalized_shape. Gradients: see the module's text. Raises
    RuntimeError where shapes or types do not fit.
    """
    gamma = None if weight is None else array_of(weight)
    beta = None if bias is None else array_of(bias)
    shape = check_normalized_shape("layer_norm", array_of(input), normalized_shape, gamma, beta)
    return LayerNormFunction.apply(input, weight, bias, len(shape), eps)


class LayerNorm(Module):
    """Layer normalisation over the last dimensions; see ``layer_norm``.

    Parameters γ (``weight``, starts at 1) and β (``bias``, starts at 0) of shape ``normalized_shape``;
    ``elementwise_affine=False`` leaves both out, ``bias=False`` β only.
    """

    normalized_shape: tuple[int, ...]
    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = Size(self.normalized_shape)
        affine = elementwise_affine
        self.register_parameter("weight", Parameter(empty(shape, dtype=dtype, device=device)) if affine else None)
        self.register_parameter(
            "bias", Parameter(empty(shape, dtype=dtype, device=device)) if affine and bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """γ = 1, β = 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
