"""Softmax and its logarithm along one dimension.

    y_i = e^{x_i} / Σ_j e^{x_j}            ∂y_i/∂x_j = y_i (δ_ij − y_j)      dx = y (dy − Σ_j dy_j y_j)
    l_i = x_i − log Σ_j e^{x_j}            ∂l_i/∂x_j = δ_ij − y_j            dx = dl − y Σ_j dl_j

Both subtract the largest x first: the result is the same, and no exponential overflows.
Softmin is the softmax of −x. Derivation: docs/blocks/softmax.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels.threads import parallel_for
from ndl.nn.module import Module
from ndl.ops.dims import values
from ndl.ops.promotion import array_of, cast
from ndl.ops.random import default_generator

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin", "gumbel_softmax", "log_softmax", "softmax", "softmin"]


LARGE = 1 << 20  # numbers from which the threads pay


def over_rows(x: np.ndarray, dim: int, body: Callable[[int, int], None]) -> None:
    """``body(start, stop)`` over shares of the first dimension, on the threads where x is large and is not cut apart."""
    if dim == 0 or x.size < LARGE:
        body(0, len(x))
    else:
        parallel_for(len(x), body, grain=max(1, LARGE // 2 * len(x) // x.size))


def exponentials(x: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x − m, e^{x − m}, Σ e^{x − m}) with m the largest x along ``dim``; fully −∞ rows give nan, as PyTorch's do."""
    if x.shape[dim] == 0:
        return x.copy(), x.copy(), np.ones_like(x)
    z, e = np.empty_like(x), np.empty_like(x)
    total = np.empty((*x.shape[:dim], 1, *x.shape[dim + 1 :]), x.dtype)

    def share(a: int, b: int) -> None:
        np.subtract(x[a:b], x[a:b].max(axis=dim, keepdims=True), out=z[a:b])
        np.exp(z[a:b], out=e[a:b])
        np.sum(e[a:b], axis=dim, keepdims=True, out=total[a:b])

    with np.errstate(invalid="ignore"):  # −∞ − −∞
        over_rows(x, dim, share)
    return z, e, total


class SoftmaxFunction(ArrayFunction):
    """y = softmax(x);  dx = y (dy − Σ dy y)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        _, y, total = exponentials(x, dim)
        y /= total
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (y,) = ctx.saved_tensors
        if ctx.recording:
            g = dy * y
            return g - y * np.sum(g, axis=ctx.dim, keepdims=True), None
        dx = np.empty_like(y)

        def share(a: int, b: int) -> None:
            g = dy[a:b] * y[a:b]
            np.multiply(y[a:b], np.sum(g, axis=ctx.dim, keepdims=True), out=dx[a:b])
            np.subtract(g, dx[a:b], out=dx[a:b])

        over_rows(y, ctx.dim, share)
        return dx, None


class LogSoftmaxFunction(ArrayFunction):
    """l = x − log Σ e^x;  dx = dl − e^l Σ dl."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        l, _, total = exponentials(x, dim)
        l -= np.log(total)
        ctx.dim = dim
        ctx.save_for_backward(l)
        return l

    @staticmethod
    def backward(ctx: Any, dl: Any) -> tuple:
        (l,) = ctx.saved_tensors
        return dl - np.exp(l) * np.sum(dl, axis=ctx.dim, keepdims=True), None


def _prepare(name: str, input: Any, dim: int | None, dtype: Any) -> tuple[Any, int]:
    """The input in a floating type, and the dimension counted from the front. Raises TypeError for what is no tensor."""
    values(input, name)
    if dtype is not None:
        input = cast(input, as_numpy_dtype(dtype))
    x = array_of(input)
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}" is not implemented for {x.dtype}: convert the input with .float(), or give dtype=ndl.float32'
        )
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
            stacklevel=4,
        )
        dim = 0 if x.ndim in (0, 1, 3) else 1
    n = max(x.ndim, 1)
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return input, dim % n


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """e^x / Σ e^x along ``dim``: positive, sums to 1. dx = y (dy − Σ dy y).

    ``dtype`` converts the input first. Raises IndexError for a dimension that is not there, NotImplementedError for integers.
    """
    input, dim = _prepare("softmax", input, dim, dtype)
    if array_of(input).ndim == 0:
        return SoftmaxFunction.apply(input.reshape(1), 0).reshape(())
    return SoftmaxFunction.apply(input, dim)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """x − log Σ e^x along ``dim``: the logarithm of softmax without its underflow. dx = dl − softmax(x) Σ dl."""
    input, dim = _prepare("log_softmax", input, dim, dtype)
    if array_of(input).ndim == 0:
        return LogSoftmaxFunction.apply(input.reshape(1), 0).reshape(())
    return LogSoftmaxFunction.apply(input, dim)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """e^−x / Σ e^−x along ``dim``: the softmax of −x, so dx = −y (dy − Σ dy y)."""
    input, dim = _prepare("softmin", input, dim, dtype)
    return softmax(-input, dim)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A random choice that gradients pass through: softmax((logits + g) / tau), g = −ln E, E exponentially distributed.

    The largest of logits + g is a sample from softmax(logits); the smaller ``tau``, the nearer is the result to that one
    choice. ``hard=True`` returns the choice itself, one-hot, with the gradient of the soft one. The same seed gives
    PyTorch's choice. ``eps`` does nothing. Jang et al. 2016; Maddison et al. 2016.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    _prepare("gumbel_softmax", logits, dim, None)
    x = array_of(logits)
    with np.errstate(divide="ignore"):
        g = -np.log(default_generator.exponential(1.0, x.shape, x.dtype))
    y = softmax((logits + Tensor._wrap(np.asarray(g))) / tau, dim)
    if not hard:
        return y
    choice = y.detach().argmax(dim, keepdim=True)
    one_hot = Tensor._wrap(np.zeros(x.shape, x.dtype)).scatter_(dim, choice, 1.0)
    return one_hot - y.detach() + y


class Softmax(Module):
    """Softmax along ``dim``. Any shape; the output has the input's."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """Softmax of −x along ``dim``. Any shape; the output has the input's."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels at each place of a picture. (N, C, H, W) or (C, H, W). ValueError for other shapes."""

    def forward(self, input: Any) -> Any:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return softmax(input, -3)


class LogSoftmax(Module):
    """The logarithm of softmax along ``dim``. Any shape; the output has the input's."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
