"""The bilinear layer: a number for each pair of features, weighted and added up.

    y_no = Σ_ij x_ni W_oij z_nj + b_o

With V_noi = Σ_j W_oij z_nj, one matrix product, and G_noi = dy_no x_ni:

    dx_ni  = Σ_o dy_no V_noi           dz_nj = Σ_oi G_noi W_oij
    dW_oij = Σ_n G_noi z_nj            db_o  = Σ_n dy_no
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.nn.loss import check_tensors
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.products import MatMul
from ndl.ops.promotion import array_of

__all__ = ["Bilinear", "bilinear"]


class BilinearFunction(ArrayFunction):
    """Y_o = X W_o Zᵀ (its diagonal) + b;  dx = Σ_o dy_o V_o,  dz = G W,  dW = Gᵀ Z,  db = Σ_n dy_n.

    ``x`` (N, I), ``z`` (N, J), ``W`` (O, I, J), ``b`` (O) or None.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, z: np.ndarray, W: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        ctx.save_for_backward(x, z, W)
        y = np.einsum("noi,ni->no", _weighted(z, W), x)  # (N, O)
        return y if b is None else y + b

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, z, W = ctx.saved_tensors
        O, I, J = W.shape
        need_dx, need_dz, need_dW, need_db = ctx.needs_input_grad
        dx = dz = dW = None
        if need_dx:
            dx = np.sum(dy[:, :, None] * _weighted(z, W), axis=1)  # (N, I)
        if need_dz or need_dW:
            G = (dy[:, :, None] * x[:, None, :]).reshape(len(x), O * I)  # (N, O·I)
            dz = MatMul.apply(G, W.reshape(O * I, J)) if need_dz else None  # (N, J)
            dW = MatMul.apply(G.mT, z).reshape(O, I, J) if need_dW else None
        return dx, dz, dW, dy if need_db else None  # db: (N, O), summed to the bias's (O) by the engine


def _weighted(z: Any, W: Any) -> Any:
    """V_noi = Σ_j W_oij z_nj, (N, O, I)."""
    O, I, J = W.shape
    return MatMul.apply(z, W.reshape(O * I, J).mT).reshape(len(z), O, I)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = xᵀ W_o z + b_o over the last dimensions: (…, I), (…, J), (O, I, J), (O) -> (…, O).

    Gradients: see the module's text. Raises RuntimeError for shapes or types that do not match.
    """
    check_tensors("bilinear", input1=input1, input2=input2, weight=weight)
    x, z, W = (array_of(v) for v in (input1, input2, weight))
    b = None if bias is None else array_of(bias)
    named = {"input1": x, "input2": z, "weight": W} | ({} if b is None else {"bias": b})
    if len({v.dtype for v in named.values()}) != 1:
        types = ", ".join(f"{name}: {as_dtype(v.dtype).name}" for name, v in named.items())
        raise RuntimeError(f"bilinear(): All tensors must have the same dtype, got {types}; convert with .to(dtype)")
    if x.ndim != z.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {x.ndim} and {z.ndim}")
    if not x.ndim or W.ndim != 3:
        raise RuntimeError(
            f"bilinear(): expected inputs (…, I), (…, J) and a weight (O, I, J), but got {list(x.shape)}, "
            f"{list(z.shape)} and {list(W.shape)}"
        )
    for k, (m, n) in enumerate(zip(x.shape[:-1], z.shape[:-1])):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {k}: got {m} and {n}")
    for i, v in ((1, x), (2, z)):
        if v.shape[-1] != W.shape[i]:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {v.shape[-1]} but expected {W.shape[i]}"
            )
    if b is not None and b.shape != (W.shape[0],):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {list(b.shape)} but expected {W.shape[0]}"
        )
    N = math.prod(x.shape[:-1])
    y = BilinearFunction.apply(input1.reshape(N, x.shape[-1]), input2.reshape(N, z.shape[-1]), weight, bias)
    return y.reshape(*x.shape[:-1], W.shape[0])


class Bilinear(Module):
    """A learned bilinear map of two inputs, y = x W z + b.

    Shapes: inputs (…, in1_features) and (…, in2_features), weight (out_features, in1_features, in2_features), output
    (…, out_features). Weight and bias start uniform in ±1/√in1_features, as in PyTorch.
    """

    in1_features: int
    in2_features: int
    out_features: int
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, uniform in ±1/√in1_features."""
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
