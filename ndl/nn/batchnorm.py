"""Batch normalisation, for any number of spatial dimensions.

For the M = N · (spatial size) values x_m of one channel:

    μ = Σ x / M,   σ² = Σ (x − μ)² / M,   r = 1 / √(σ² + ε),   x̂ = (x − μ) r,   y = γ x̂ + β

    dβ = Σ dy,   dγ = Σ dy x̂,   dx = γ r (dy − dβ / M − x̂ dγ / M)

The two subtracted terms are the paths through μ and through σ². In evaluation μ and σ² are constants, the paths are
gone, and dx = γ r dy. Ioffe & Szegedy 2015. Derivation: docs/blocks/batch_norm.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.batch_norm import apply_affine, backward_sums, input_gradient, statistics
from ndl.nn import init
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty, ones, tensor, zeros
from ndl.ops.dims import values
from ndl.ops.elementwise import steady
from ndl.ops.promotion import array_of

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "batch_norm"]


class BatchNormFunction(ArrayFunction):
    """y = γ (x − μ) r + β with μ and σ² of the batch;  dx = γ r (dy − dβ/M − x̂ dγ/M), dγ = Σ dy x̂, dβ = Σ dy.

    ``statistics`` receives (μ, σ²), which the caller needs for its running averages.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None, eps: float, found: list
    ) -> np.ndarray:
        mean, var = statistics(x)  # (C,) each, float64
        found.extend((mean, var))
        r = 1 / np.sqrt(var + eps)
        a = r if gamma is None else gamma * r
        b = -mean * a if beta is None else beta - mean * a
        ctx.save_for_backward(x, gamma)
        ctx.mean, ctx.r, ctx.eps = mean, r, eps
        return apply_affine(x, a, b)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        if ctx.recording:
            return _recorded_backward(x, gamma, dy, ctx.eps)
        M = x.size // max(1, x.shape[1])
        sums, products = backward_sums(dy, x, ctx.mean)  # Σ dy and Σ dy (x − μ), (C,)
        dbeta, dgamma = sums, products * ctx.r
        dx = None
        if ctx.needs_input_grad[0]:
            a = ctx.r if gamma is None else gamma * ctx.r
            dx = input_gradient(dy, x, a, -a * ctx.r * dgamma / M, ctx.mean, -a * dbeta / M)
        return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype), None, None


def _recorded_backward(x: Any, gamma: Any, dy: Any, eps: float) -> tuple:
    """The same gradients in operations that are recorded themselves."""
    axes = tuple(i for i in range(x.ndim) if i != 1)
    column = [-1 if i == 1 else 1 for i in range(x.ndim)]
    M = x.numel() // x.shape[1]
    centred = x - np.sum(x, axis=axes, keepdims=True) / M
    r = (np.sum(centred * centred, axis=axes, keepdims=True) / M + eps) ** -0.5
    xhat = centred * r
    dbeta = np.sum(dy, axis=axes, keepdims=True)
    dgamma = np.sum(dy * xhat, axis=axes, keepdims=True)
    a = r if gamma is None else r * gamma.reshape(column)
    dx = a * (dy - dbeta / M - xhat * dgamma / M)
    return dx, dgamma.reshape(-1), dbeta.reshape(-1), None, None


class ScaleShift(ArrayFunction):
    """y = (x − μ) r γ + β with constant μ and r;  dx = γ r dy,  dγ = Σ dy x̂,  dβ = Σ dy."""

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        gamma: np.ndarray | None,
        beta: np.ndarray | None,
        mean: np.ndarray,
        r: np.ndarray,
    ) -> np.ndarray:
        a = r if gamma is None else gamma * r
        b = -mean * a if beta is None else beta - mean * a
        ctx.save_for_backward(x, gamma)
        ctx.mean, ctx.r = mean, r
        return apply_affine(x, a, b)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, gamma = ctx.saved_tensors
        column = [-1 if i == 1 else 1 for i in range(x.ndim)]
        axes = tuple(i for i in range(x.ndim) if i != 1)
        r, mean = (v.astype(x.dtype if not ctx.recording else x.dtype.dtype) for v in (ctx.r, ctx.mean))
        a = r if gamma is None else gamma * r
        dx = dgamma = dbeta = None
        if ctx.needs_input_grad[0]:
            dx = dy * a.reshape(column)
            dx = steady(dx, x) if ctx.recording else dx
        if ctx.needs_input_grad[1]:
            dgamma = np.sum(dy * ((x - mean.reshape(column)) * r.reshape(column)), axis=axes)
        if ctx.needs_input_grad[2]:
            dbeta = np.sum(dy, axis=axes)
        return dx, dgamma, dbeta, None, None


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel of (N, C, …): with the batch's statistics in training, else with the running ones.

    In training the running statistics move towards the batch's by ``momentum``; the running variance is the unbiased
    one, Σ (x − μ)² / (M − 1). Gradients: see the module's text. Raises ValueError where a channel has one value only, or
    one of the running statistics is None; NotImplementedError for integers and RuntimeError for parameters of another
    type than the input's.
    """
    x = values(input, "batch_norm")
    if x.ndim < 2:
        raise RuntimeError(f"batch_norm expects an input (N, C, …), but got shape {list(x.shape)}")
    C = x.shape[1]
    if x.dtype.kind != "f":
        raise NotImplementedError(f'"batch_norm" not implemented for {as_dtype(x.dtype)}; convert it with .float()')
    for name, v in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if v is not None and values(v, "batch_norm", name).shape != (C,):
            raise RuntimeError(
                f"{name} should contain {C} elements, one for each channel of the input {list(x.shape)}, but has shape "
                f"{list(array_of(v).shape)}"
            )
        if v is not None and (x.dtype, array_of(v).dtype) not in ((x.dtype, x.dtype), (np.float16, np.float32)):
            raise RuntimeError(
                f"mixed dtype: {name} is {as_dtype(array_of(v).dtype)} and the input {as_dtype(x.dtype)}; convert one of "
                "them with .to(dtype)"
            )
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        if eps < 0:
            raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
        mean = array_of(running_mean).astype(np.float64)
        r = 1 / np.sqrt(array_of(running_var).astype(np.float64) + eps)
        return ScaleShift.apply(input, weight, bias, mean, r)
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    if eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    M = x.size // C if C else 0
    if M == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(x.shape)}; the variance of one "
            "value is nothing to divide by: use a larger batch, or .eval()"
        )
    found: list = []
    y = BatchNormFunction.apply(input, weight, bias, eps, found)
    if running_mean is not None and running_var is not None and M:
        mean, var = found
        with no_grad():
            running_mean.mul_(1 - momentum).add_(_as(running_mean, mean), alpha=momentum)
            running_var.mul_(1 - momentum).add_(_as(running_var, var * (M / (M - 1))), alpha=momentum)
    return y


def _as(like: Any, v: np.ndarray) -> Tensor:
    return Tensor._wrap(v.astype(array_of(like).dtype))


def count_batches(module: Any, state_dict: dict, prefix: str, local_metadata: dict) -> None:
    """States of version 1, and dictionaries without a version, may lack the number of batches: it stays what it is."""
    old = (local_metadata.get("version") or 1) < 2
    if old and module.track_running_stats and module.num_batches_tracked is not None:
        state_dict.setdefault(f"{prefix}num_batches_tracked", module.num_batches_tracked)


class BatchNorm(Module):
    """What the three BatchNorm Modules share: parameters γ (``weight``) and β (``bias``), running statistics.

    ``momentum=None`` averages over all batches seen. ``track_running_stats=False`` uses the batch's statistics in
    evaluation too. ``bias=False`` leaves β out.
    """

    _version = 2
    dimensions: tuple[int, ...]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
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
        self.register_parameter("weight", Parameter(empty(num_features, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(empty(num_features, dtype=dtype)) if affine and bias else None)
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
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        ndim = values(input, "batch_norm").ndim
        if ndim not in self.dimensions:
            wanted = " or ".join(f"{n}D" for n in self.dimensions)
            raise ValueError(f"expected {wanted} input (got {ndim}D input)")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        from_batch = self.training or (self.running_mean is None and self.running_var is None)
        update = not self.training or self.track_running_stats
        return batch_norm(
            input,
            self.running_mean if update else None,
            self.running_var if update else None,
            self.weight,
            self.bias,
            from_batch,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L); see ``batch_norm``."""

    dimensions = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of (N, C, H, W); see ``batch_norm``."""

    dimensions = (4,)


class BatchNorm3d(BatchNorm):
    """Batch normalisation of (N, C, D, H, W); see ``batch_norm``."""

    dimensions = (5,)
