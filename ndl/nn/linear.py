"""The linear (fully connected) layer, and Identity.

    y_no = Σ_i x_ni W_oi + b_o                        Y = X Wᵀ + 1 bᵀ

    dx_ni = Σ_o dy_no W_oi                            dX = dY W
    dW_oi = Σ_n dy_no x_ni                            dW = dYᵀ X
    db_o  = Σ_n dy_no                                 db = dYᵀ 1

Derivation: docs/blocks/linear.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels.matmul import matmul, side_by_side
from ndl.kernels.summation import sum_over
from ndl.nn import init
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.dims import values
from ndl.ops.products import MatMul
from ndl.ops.promotion import array_of

__all__ = ["Identity", "Linear", "linear"]


class LinearFunction(ArrayFunction):
    """Y = X Wᵀ + b;  dX = dY W,  dW = dYᵀ X,  db = Σ_n dY_n."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, W: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        need_dx, need_dW = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_dW else None, W if need_dx else None)
        X = _rows(x)  # (N, I): all leading dimensions are one batch, one matrix product
        whole = b is not None and b.shape == W.shape[:1]
        Y = matmul(X, W.T, b if whole else None)  # (N, O)
        if b is not None and not whole:
            Y += b
        return Y.reshape(*x.shape[:-1], W.shape[0]) if x.ndim != 2 else Y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, W = ctx.saved_tensors
        need_dx, need_dW, need_db = ctx.needs_input_grad
        dx = dW = db = None
        dY = _rows(dy)  # (N, O)
        if need_dx and need_dW and not ctx.recording:
            dX, dW = side_by_side(dY, W, dY.T, _rows(x))  # (N, I), (O, I)
            dx = dX.reshape(x.shape)
        else:
            if need_dx:
                dx = MatMul.apply(dY, W).reshape(*dy.shape[:-1], W.shape[1])  # (…, I)
            if need_dW:
                dW = MatMul.apply(dY.mT, _rows(x))  # (O, I)
        if need_db:
            db = dY.sum(0) if ctx.recording else sum_over(dY, (0,))  # (O,)
        return dx, dW, db


def _rows(x: Any) -> Any:
    """(…, I) as (N, I), also where I is 0."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b over the last dimension: (…, I), (O, I), (O) -> (…, O).

    Gradients: dx = dy W, dW = dyᵀ x and db = Σ dy, the sums over all leading dimensions. A weight of shape (I)
    gives a result without the last dimension. Raises RuntimeError where sizes or types do not match.
    """
    x, W = values(input, "linear"), values(weight, "linear", "weight", 2)
    b = None if bias is None else array_of(bias)
    if (
        x.ndim
        and W.ndim == 2
        and x.shape[-1] == W.shape[1]
        and x.dtype == W.dtype
        and (b is None or b.dtype == W.dtype)
    ):
        if b is None or b.shape == (W.shape[0],):
            return LinearFunction.apply(input, weight, bias)
        return linear(input, weight) + bias
    if x.dtype != W.dtype or (b is not None and b.dtype != W.dtype):
        types = f"{x.dtype}, {W.dtype}" + (f" and {b.dtype}" if b is not None else "")
        raise RuntimeError(
            f"linear: input, weight and bias must have the same dtype, but got {types}; convert with .to(dtype)"
        )
    if W.ndim == 1 and x.ndim and x.shape[-1] == W.shape[0]:
        y = input @ weight
        return y if bias is None else y + bias
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied: linear got an input of shape {list(x.shape)} and a weight of "
        f"shape {list(W.shape)} (out_features, in_features); the input's last dimension must be in_features"
    )


class Linear(Module):
    """A learned affine map of the last dimension, y = x Wᵀ + b.

    Shapes: input (…, in_features), weight (out_features, in_features), bias (out_features), output
    (…, out_features). Both start uniform in ±1/√in_features, as in PyTorch.
    """

    in_features: int
    out_features: int
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values. Kaiming-uniform with a = √5 is uniform in ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Any) -> Any:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """y = x, whatever the arguments: stands where a block may be left out. dx = dy."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input
