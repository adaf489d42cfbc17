"""Softmax and its logarithm along one dimension.

    y_i = e^{x_i} / Σ_j e^{x_j}            ∂y_i/∂x_j = y_i (δ_ij − y_j)      dx = y (dy − Σ_j dy_j y_j)
    l_i = x_i − log Σ_j e^{x_j}            ∂l_i/∂x_j = δ_ij − y_j            dx = dl − y Σ_j dl_j

Both subtract the largest x first: the result is the same, and no exponential overflows.
Derivation: docs/blocks/softmax.md.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.nn.module import Module
from ndl.ops.promotion import array_of, cast

__all__ = ["LogSoftmax", "Softmax", "log_softmax", "softmax"]


def exponentials(x: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x − m, e^{x − m}, Σ e^{x − m}) with m the largest x along ``dim``; fully −∞ rows give nan, as PyTorch's do."""
    if x.shape[dim] == 0:
        return x.copy(), x.copy(), np.ones_like(x)
    with np.errstate(invalid="ignore"):  # −∞ − −∞
        z = x - x.max(axis=dim, keepdims=True)
        e = np.exp(z)
        return z, e, e.sum(axis=dim, keepdims=True)


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
        g = dy * y
        return g - y * np.sum(g, axis=ctx.dim, keepdims=True), None


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
    """The input in a floating type, and the dimension counted from the front."""
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


class Softmax(Module):
    """Softmax along ``dim``. Any shape; the output has the input's."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of softmax along ``dim``. Any shape; the output has the input's."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
