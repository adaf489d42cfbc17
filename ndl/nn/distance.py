"""Distance and likeness of vectors, pair by pair: cosine similarity, the p-norm of a difference, vectors of length 1.

With n = ‖x‖ and u = x / n, moving x along u changes n only, and moving it across u turns it:

    ∂u/∂x = (1 − u uᵀ) / n             normalize:  dx = (dy − u (u·dy)) / n
    c = u₁·u₂                          cosine:     dx₁ = dc (u₂ − c u₁) / n₁,   dx₂ = dc (u₁ − c u₂) / n₂

All pairs of two sets of vectors are in ``cdist.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.grad_mode import is_grad_enabled, no_grad
from ndl.nn.loss import check_tensors
from ndl.nn.module import Module
from ndl.ops.dims import wrap_dim, wrap_dims
from ndl.ops.elementwise import keep
from ndl.ops.extrema import clamp_min
from ndl.ops.linalg import vector_norm
from ndl.ops.promotion import array_of, promote
from ndl.ops.shape import broadcast_tensors

__all__ = ["CosineSimilarity", "PairwiseDistance", "cosine_similarity", "normalize", "pairwise_distance"]


class CosineFunction(ArrayFunction):
    """c = u₁·u₂ with u = x / n, n = max(‖x‖, ε);  dx₁ = dc (u₂ − c v₁) / n₁ with v = x / ‖x‖, 0 where x = 0.

    v is u unless ‖x‖ < ε, where PyTorch passes the gradient of n on as if it were ‖x‖.
    """

    @staticmethod
    def forward(ctx: Any, x1: np.ndarray, x2: np.ndarray, dim: int, eps: float) -> np.ndarray:
        ctx.save_for_backward(x1, x2)
        a1, a2 = (vector_norm(x, 2, dim, True) for x in (x1, x2))
        n1, n2 = np.maximum(a1, eps), np.maximum(a2, eps)
        ctx.dim, ctx.lift1, ctx.lift2 = dim, n1 - a1, n2 - a2
        return np.sum((x1 / n1) * (x2 / n2), axis=dim)

    @staticmethod
    def backward(ctx: Any, dc: Any) -> tuple:
        x1, x2 = ctx.saved_tensors
        a1, a2 = (vector_norm(x, 2, ctx.dim, True) for x in (x1, x2))
        n1, n2 = a1 + ctx.lift1, a2 + ctx.lift2
        u1, u2 = x1 / n1, x2 / n2
        c = np.sum(u1 * u2, axis=ctx.dim, keepdims=True)
        dc = dc.reshape(c.shape)
        dx1 = dx2 = None
        if ctx.needs_input_grad[0]:
            dx1 = (u2 - x1 * keep(c / a1, array_of(a1) != 0)) * (dc / n1)
        if ctx.needs_input_grad[1]:
            dx2 = (u1 - x2 * keep(c / a2, array_of(a2) != 0)) * (dc / n2)
        return dx1, dx2, None, None


class NormalizeFunction(ArrayFunction):
    """u = x / n, n = max(‖x‖, ε);  dx = (dy − u (u·dy)) / n, and dy / ε where ‖x‖ < ε."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple, eps: float) -> np.ndarray:
        a = vector_norm(x, 2, axes, True)
        ctx.axes, ctx.eps, ctx.long = axes, eps, a >= eps
        u = x / np.maximum(a, eps)
        ctx.save_for_backward(x, u)
        return u

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, u = ctx.saved_tensors
        n = clamp_min(vector_norm(x, 2, ctx.axes, True), ctx.eps)
        along = keep(np.sum(dy * u, axis=ctx.axes, keepdims=True), ctx.long)
        return (dy - u * along) / n, None, None


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x₁·x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)) along ``dim`` of the shape to which both broadcast.

    Gradient: dx₁ = dc (u₂ − c u₁) / ‖x₁‖ with u = x / ‖x‖. Raises RuntimeError for integers and for shapes that do not
    broadcast, IndexError for a dimension that is not there.
    """
    check_tensors("cosine_similarity", x1=x1, x2=x2)
    x1, x2 = promote(x1, x2)
    if array_of(x1).dtype.kind != "f":
        raise RuntimeError(
            "cosine_similarity: expected common dtype to be floating point, yet common dtype is "
            f"{as_dtype(array_of(x1).dtype).name}; convert with .float()"
        )
    if array_of(x1).shape != array_of(x2).shape:
        x1, x2 = broadcast_tensors(x1, x2)
    return CosineFunction.apply(x1, x2, wrap_dim(dim, array_of(x1).ndim), eps)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x₁ − x₂ + ε‖_p over the last dimension; the shapes broadcast.

    With d = x₁ − x₂ + ε and y its norm, dx₁ = dy sign(d) (|d| / y)^(p−1) and dx₂ = −dx₁ (``ndl.ops.linalg``). ε keeps
    y from 0, where a norm has no gradient.
    """
    check_tensors("pairwise_distance", x1=x1, x2=x2)
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """x / max(‖x‖_p, ε) along ``dim`` (one or several): vectors of length 1.

    Gradient for p = 2: (dy − u (u·dy)) / ‖x‖; others from those of the norm and the quotient. ``out`` receives the
    result, without a gradient. Raises RuntimeError for integers, IndexError for a dimension that is not there.
    """
    check_tensors("normalize", input=input)
    if out is not None:
        if is_grad_enabled() and getattr(input, "requires_grad", False):
            raise RuntimeError(
                "normalize(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad; leave out= away, or use no_grad()"
            )
        with no_grad():
            return out.copy_(normalize(input, p, dim, eps))
    x = array_of(input)
    axes = wrap_dims(dim, x.ndim)
    if p == 2 and x.ndim and x.dtype.kind == "f":
        return NormalizeFunction.apply(input, axes, eps)
    return input / clamp_min(vector_norm(input, p, axes, True), eps)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along ``dim``; see ``cosine_similarity``."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        return cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of vectors, row by row; see ``pairwise_distance``."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
