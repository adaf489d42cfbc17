"""Instance normalisation: each channel of each sample by itself, for any number of spatial dimensions.

For the M pixels x_m of one channel of one sample:

    μ = Σ x / M,   σ² = Σ (x − μ)² / M,   r = 1 / √(σ² + ε),   x̂ = (x − μ) r,   y = γ x̂ + β

    dx = γ r (dy − s₁ / M − x̂ s₂ / M)         s₁ = Σ_m dy,   s₂ = Σ_m dy x̂     (for each sample)
    dβ = Σ_n s₁,   dγ = Σ_n s₂                (sums over the samples)

It is batch normalisation of one sample at a time, hence the same formula. Evaluation with running statistics is batch
normalisation's. Ulyanov, Vedaldi & Lempitsky 2016. Derivation: docs/blocks/group_norm.md.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.group_norm import group_norm as normalise_groups
from ndl.kernels.group_norm import group_norm_gradients
from ndl.nn import init
from ndl.nn.batchnorm import batch_norm, count_batches
from ndl.nn.layernorm import check_types
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty, ones, tensor, zeros
from ndl.ops.promotion import array_of

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "instance_norm"]


class InstanceNormFunction(ArrayFunction):
    """y = γ x̂ + β;  dx = γ r (dy − s₁/M − x̂ s₂/M),  dγ = Σ_n s₂,  dβ = Σ_n s₁.

    ``found`` receives (μ, σ²), each (N, C), which the caller needs for its running averages.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None, eps: float, found: list
    ) -> np.ndarray:
        ctx.save_for_backward(x, gamma)
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        y, mean, var = normalise_groups(wide, x.shape[1], gamma, beta, eps)  # groups of one channel
        found.extend((mean, var))
        ctx.mean, ctx.r, ctx.eps = mean, 1 / np.sqrt(var + eps), eps
        return y.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        if ctx.recording:
            return _recorded_backward(x, gamma, dy, ctx.eps)
        if x.dtype == np.float16:
            x, dy = x.astype(np.float32), dy.astype(np.float32)
        need_dx = ctx.needs_input_grad[0]
        dx, dgamma, dbeta = group_norm_gradients(dy, x, x.shape[1], gamma, ctx.mean, ctx.r, need_dx)
        return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype), None, None


def _recorded_backward(x: Any, gamma: Any, dy: Any, eps: float) -> tuple:
    """The same gradients in operations that are recorded themselves."""
    pixels = tuple(range(2, x.ndim))
    column = [-1 if i == 1 else 1 for i in range(x.ndim)]
    M = math.prod(x.shape[2:])
    centred = x - np.sum(x, axis=pixels, keepdims=True) / M
    r = (np.sum(centred * centred, axis=pixels, keepdims=True) / M + eps) ** -0.5
    xhat = centred * r
    s1 = np.sum(dy, axis=pixels, keepdims=True)  # (N, C, 1, …)
    s2 = np.sum(dy * xhat, axis=pixels, keepdims=True)
    a = r if gamma is None else r * gamma.reshape(column)
    dx = a * (dy - s1 / M - xhat * s2 / M)
    return dx, np.sum(s2, axis=0).reshape(-1), np.sum(s1, axis=0).reshape(-1), None, None


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel of each sample of (N, C, …), then scale and shift.

    With ``use_input_stats`` by the sample's own mean and variance; the running ones, if given, move by ``momentum``
    towards the average over the samples (the variance unbiased, divided by M − 1). Without, by the running ones.
    Gradients: see the module's text. Raises ValueError where a channel has one pixel only.
    """
    x = array_of(input)
    if use_input_stats and x.ndim >= 2 and math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {list(x.shape)}; the variance of one "
            "pixel is nothing to divide by"
        )
    if x.ndim < 3:
        raise RuntimeError(f"instance_norm expects an input (N, C, …), but got shape {list(x.shape)}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats=False")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    C, M = x.shape[1], math.prod(x.shape[2:])
    gamma = None if weight is None else array_of(weight)
    beta = None if bias is None else array_of(bias)
    for name, v in (("running_mean", running_mean), ("running_var", running_var), ("weight", gamma), ("bias", beta)):
        if v is not None and array_of(v).shape != (C,):
            raise RuntimeError(
                f"{name} should contain {C} elements, one for each channel of the input {list(x.shape)}, but has shape "
                f"{list(array_of(v).shape)}"
            )
    check_types("instance_norm", x, gamma, beta)
    found: list = []
    y = InstanceNormFunction.apply(input, weight, bias, eps, found)
    if x.size:
        mean, var = found
        with no_grad():
            for running, batch in ((running_mean, mean), (running_var, var * (M / (M - 1)))):
                if running is not None:
                    average = Tensor._wrap(batch.mean(0).astype(array_of(running).dtype))
                    running.mul_(1 - momentum).add_(average, alpha=momentum)
    return y


class InstanceNorm(Module):
    """What the three InstanceNorm Modules share: by default neither parameters nor running statistics.

    ``affine=True`` adds γ (``weight``) and β (``bias``; ``bias=False`` leaves it out), ``track_running_stats=True``
    running statistics, which are then used in evaluation. An input without N is taken as one sample.
    """

    _version = 2
    spatial: int
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            p = Parameter(empty(num_features, dtype=dtype, device=device)) if wanted else None
            self.register_parameter(name, p)
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)
        self.reset_parameters()

    def _load_from_state_dict(self, state_dict: dict, prefix: str, local_metadata: dict, *rest: Any) -> None:
        count_batches(self, state_dict, prefix, local_metadata)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """γ = 1, β = 0, running statistics forgotten."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        x = array_of(input)
        unbatched = x.ndim == self.spatial + 1
        if x.ndim not in (self.spatial + 1, self.spatial + 2):
            raise ValueError(f"expected {self.spatial + 1}D or {self.spatial + 2}D input (got {x.ndim}D input)")
        place = x.ndim - self.spatial - 1
        if x.shape[place] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={place} to match num_features ({self.num_features}), but got: "
                    f"{x.shape[place]}."
                )
            warnings.warn(
                f"input's size at dim={place} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        y = instance_norm(
            input.unsqueeze(0) if unbatched else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if unbatched else y

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class InstanceNorm1d(InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L); see ``instance_norm``."""

    spatial = 1


class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W); see ``instance_norm``."""

    spatial = 2


class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W); see ``instance_norm``."""

    spatial = 3
