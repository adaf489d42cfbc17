"""Norms of vectors and matrices: ``linalg.norm``, ``linalg.vector_norm``, ``linalg.matrix_norm``.

For y = (Σ |x_i|^p)^(1/p), from dy^p = Σ d|x_i|^p:

    p y^(p−1) ∂y/∂x_i = p |x_i|^(p−1) sign x_i       dx_i = dy sign(x_i) (|x_i| / y)^(p−1)

At y = 0, where a norm has a kink, the gradient is 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.summation import sum_over
from ndl.ops.arithmetic import abs as absolute
from ndl.ops.arithmetic import sign
from ndl.ops.dims import values, wrap_dims
from ndl.ops.elementwise import keep
from ndl.ops.max_min import amax, amin
from ndl.ops.promotion import array_of, cast
from ndl.ops.reduced_dims import kept_shape, number_reduced, numpy_names, reduced_axes
from ndl.ops.reduction import sum as total

__all__ = ["matrix_norm", "norm", "vector_norm"]


class VectorNorm(ArrayFunction):
    """y = (Σ |x|^p)^(1/p);  dx = dy sign(x) (|x| / y)^(p−1), 0 where y is 0.

    p = ∞ is max |x| and p = −∞ min |x|, whose gradient is divided among equals; p = 0 counts what is not 0 and has
    no gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, p: float, axes: tuple | None, keepdim: bool) -> np.ndarray:
        kept = kept_shape(x.shape, axes)
        ctx.p, ctx.axes, ctx.kept = p, axes, kept
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        one = p != 0 and number_reduced(x.shape, axes) == 1  # its square might be too small, or too large
        y = np.asarray(np.absolute(wide).sum(axes) if one else _norm(wide, p, axes), x.dtype)
        y = y.reshape(kept) if keepdim else y
        if p != 0:
            ctx.save_for_backward(x, y if p != 1 else None)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        p = ctx.p
        if p == 0:
            return None, None, None, None
        x, y = ctx.saved_tensors
        dy = dy.reshape(ctx.kept)
        if p == 1:
            return dy * sign(x), None, None, None
        y = y.reshape(ctx.kept)
        if p == 2:
            return x * keep(dy / y, y != 0), None, None, None
        if math.isinf(p):
            return _share(dy, x, y, ctx.axes), None, None, None
        slope = absolute(x) ** (p - 1)
        if p < 1:  # |x|^(p−1) is infinite at 0
            return sign(x) * keep(slope, x != 0) * (dy * y ** (1 - p)), None, None, None
        return sign(x) * slope * keep(dy / y ** (p - 1), y != 0), None, None, None


def _norm(x: np.ndarray, p: float, axes: tuple | None) -> Any:
    if p == 0:
        return sum_over(x != 0, axes)
    if p == 2:
        return np.sqrt(sum_over(np.square(x), axes))
    size = np.absolute(x)
    if p == 1:
        return sum_over(size, axes)
    if math.isinf(p):
        return (np.maximum if p > 0 else np.minimum).reduce(size, axes)
    return sum_over(np.asarray(size**p), axes) ** (1 / p)


def _share(dy: Any, x: Any, y: Any, axes: tuple | None) -> Any:
    """dy sign(x) / m for each of the m elements whose size is y (nan if y is nan)."""
    size, y = np.absolute(array_of(x)), array_of(y)
    equal = (size == y) | np.isnan(size)  # one nan makes y nan, and then no other element is equal to it
    m = np.add.reduce(equal, axes, size.dtype, keepdims=True)
    return (dy / m) * (sign(array_of(x)) * equal)


@numpy_names
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |x|^ord)^(1/ord) over ``dim``, any number of dimensions; see ``VectorNorm`` for the gradient.

    Raises RuntimeError for integers, for a ``dtype`` narrower than x's, and for no elements if the norm of nothing
    is undefined (negative or infinite ``ord``).
    """
    a = values(x, "linalg_vector_norm", "x")
    if a.dtype.kind not in "fc":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{as_dtype(a.dtype).name}; convert it with .float()"
        )
    if dtype is not None:
        wanted = as_numpy_dtype(dtype)
        if wanted.kind != a.dtype.kind or wanted.itemsize < a.dtype.itemsize:
            raise RuntimeError(
                f"linalg.vector_norm: the dtype of the input ({as_dtype(a.dtype).name}) should be convertible without "
                f"narrowing to the specified dtype ({as_dtype(wanted).name})"
            )
        x = cast(x, wanted)
    p, axes = float(ord), reduced_axes(dim, a.ndim)
    if (p < 0 or p == math.inf) and (a.size == 0 if axes is None else 0 in [a.shape[k] for k in axes]):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty "
            f"{'tensor' if axes is None else 'dimension'} because the operation does not have an identity"
        )
    return VectorNorm.apply(x, p, axes, keepdim)


@numpy_names
def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of the matrices in two dimensions: "fro" (the 2-norm of the elements), 1 (largest column sum of |a|),
    ∞ (largest row sum), −1 and −∞ (the smallest ones).

    Raises RuntimeError for other orders (those that need singular values are not here), for fewer than two
    dimensions, and unless ``dim`` names two different ones.
    """
    a = values(A, "linalg_matrix_norm", "A")
    if a.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    if dim[0] % a.ndim == dim[1] % a.ndim:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got {tuple(dim)}")
    rows, columns = wrap_dims(tuple(dim), a.ndim)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim, dtype=dtype)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        known = ord in ("nuc", 2, -2)
        raise RuntimeError(
            f"linalg.matrix_norm: Order {ord} not supported{' in ndl: it needs singular values' if known else ''}; "
            "choose 'fro', 1, -1, inf or -inf"
        )
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, inner, True, dtype=dtype)
    largest = amax if array_of(sums).shape[outer] else total  # the largest of no sums is 0
    y = (largest if ord > 0 else amin)(sums, outer, True)
    return y if keepdim else total(y, (rows, columns))


@numpy_names
def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of a vector or of matrices: a matrix norm for two dimensions with ``ord``, else a vector norm.

    Without ``ord``: the 2-norm of all elements over ``dim``. Raises RuntimeError where neither fits.
    """
    a = values(A, "linalg_norm", "A")
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if a.ndim not in (1, 2) and not isinstance(ord, str):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {a.ndim}D."
            )
        dim = 0 if a.ndim == 1 and not isinstance(ord, str) else (-2, -1)
    if isinstance(ord, str) or (isinstance(dim, (tuple, list)) and len(dim) == 2):
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)
