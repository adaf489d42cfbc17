"""Group normalisation: over groups of channels within each sample.

The C channels are cut into G groups. For the M = (C / G) · (spatial size) values x_m of one group of one sample:

    μ = Σ x / M,   σ² = Σ (x − μ)² / M,   r = 1 / √(σ² + ε),   x̂ = (x − μ) r,   y = γ x̂ + β

    dβ = Σ dy,   dγ = Σ dy x̂                  (for each channel, over samples and pixels)
    dx = r (γ dy − m₁ − x̂ m₂)                 m₁ = Σ γ dy / M,   m₂ = Σ γ dy x̂ / M   (over the group)

γ and β belong to channels, the statistics to groups of them, so γ stands inside the sums, as in layer normalisation.
G = 1 normalises each sample as a whole, G = C is instance normalisation. Wu & He 2018.
Derivation: docs/blocks/group_norm.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels.group_norm import group_norm as normalise_groups
from ndl.kernels.group_norm import group_norm_gradients
from ndl.nn import init
from ndl.nn.layernorm import check_types
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.promotion import array_of

__all__ = ["GroupNorm", "group_norm"]


class GroupNormFunction(ArrayFunction):
    """y = γ x̂ + β;  dx = r (γ dy − m₁ − x̂ m₂),  dγ = Σ dy x̂,  dβ = Σ dy."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None, G: int, eps: float
    ) -> np.ndarray:
        ctx.save_for_backward(x, gamma)
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        y, mean, var = normalise_groups(wide, G, gamma, beta, eps)
        ctx.mean, ctx.r, ctx.groups, ctx.eps = mean, 1 / np.sqrt(var + eps), G, eps
        return y.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        if ctx.recording:
            return _recorded_backward(x, gamma, dy, ctx.groups, ctx.eps)
        if x.dtype == np.float16:
            x, dy = x.astype(np.float32), dy.astype(np.float32)
        need_dx = ctx.needs_input_grad[0]
        dx, dgamma, dbeta = group_norm_gradients(dy, x, ctx.groups, gamma, ctx.mean, ctx.r, need_dx)
        return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype), None, None


def _recorded_backward(x: Any, gamma: Any, dy: Any, G: int, eps: float) -> tuple:
    """The same gradients in operations that are recorded themselves."""
    N = x.shape[0]
    channels = tuple(i for i in range(x.ndim) if i != 1)
    column = [-1 if i == 1 else 1 for i in range(x.ndim)]
    M = x.numel() // max(N * G, 1)
    groups = (N, G, M)
    X = x.reshape(groups)
    centred = X - np.sum(X, axis=2, keepdims=True) / M
    r = (np.sum(centred * centred, axis=2, keepdims=True) / M + eps) ** -0.5
    xhat = centred * r
    g = (dy if gamma is None else dy * gamma.reshape(column)).reshape(groups)
    m1 = np.sum(g, axis=2, keepdims=True) / M
    m2 = np.sum(g * xhat, axis=2, keepdims=True) / M
    dx = (r * (g - m1 - xhat * m2)).reshape(x.shape)
    return dx, np.sum(dy * xhat.reshape(x.shape), axis=channels), np.sum(dy, axis=channels), None, None


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalise each of ``num_groups`` groups of channels of each sample to mean 0 and variance 1, then scale and shift.

    Shapes: input (N, C, …), C a multiple of ``num_groups``; weight and bias (C). Gradients: see the module's text.
    Raises RuntimeError where shapes or types do not fit, ValueError where a group has a single value.
    """
    x = array_of(input)
    if x.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {x.ndim}")
    N, C = x.shape[:2]
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if C % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(x.shape)} "
            f"and num_groups={num_groups}"
        )
    if x.size and x.size == num_groups and N * C // num_groups == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(x.shape)}; the variance of one "
            "value is nothing to divide by"
        )
    gamma = None if weight is None else array_of(weight)
    beta = None if bias is None else array_of(bias)
    for what, v in (("weight", gamma), ("bias", beta)):
        if v is not None and v.shape != (C,):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                f"shape {list(v.shape)} and input of shape {list(x.shape)}"
            )
    check_types("group_norm", x, gamma, beta)
    return GroupNormFunction.apply(input, weight, bias, num_groups, eps)


class GroupNorm(Module):
    """Group normalisation of (N, C, …); see ``group_norm``.

    Parameters γ (``weight``, starts at 1) and β (``bias``, starts at 0), one number for each channel; ``affine=False``
    leaves both out, ``bias=False`` β only. Training and evaluation are the same. Raises ValueError unless
    ``num_channels`` is a multiple of ``num_groups``.
    """

    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            p = Parameter(empty(num_channels, dtype=dtype, device=device)) if wanted else None
            self.register_parameter(name, p)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """γ = 1, β = 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"
