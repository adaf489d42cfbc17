"""Losses that are negative log-likelihoods, or a distance of distributions. With s from the reduction (``loss.py``):

    KL divergence  L = t (log t − x)                  dx = −t s dL           dt = (log t + 1 − x) s dL
    … of log t=u   L = e^u (u − x)                    dx = −e^u s dL         du = e^u (u − x + 1) s dL
    Poisson        L = e^x − t x                      dx = (e^x − t) s dL    dt = −x s dL
    … of a rate x  L = x − t log(x + ε)               dx = (1 − t / (x + ε)) s dL    dt = −log(x + ε) s dL
    Gaussian       L = ½ (log v + (x − t)² / v)       dx = (x − t) / v · s dL        dt = −dx
                                                      dv = ½ (1/v − (x − t)² / v²) s dL

In the first two x is a log-probability, in the third the logarithm of a rate, in the last a mean with variance v.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.nn.loss import (
    Loss,
    check_float,
    check_no_nan,
    check_not_empty,
    check_reduction,
    check_tensors,
    legacy_reduction,
    pair,
    scale,
    total,
)
from ndl.ops.elementwise import keep, together
from ndl.ops.promotion import array_of, promote, to_float

__all__ = [
    "GaussianNLLLoss",
    "KLDivLoss",
    "PoissonNLLLoss",
    "gaussian_nll_loss",
    "kl_div",
    "poisson_nll_loss",
]


class KLDivFunction(ArrayFunction):
    """L = t (log t − x), 0 log 0 = 0, reduced;  dx = −t s dL,  dt = (log t + t/t − x) s dL, nan at t = 0 as PyTorch's."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s = scale(reduction, x.size)
        entropy = np.multiply(t, np.log(np.where(t == 0, 1, t)))
        return total(entropy - t * x, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        dl = dL * ctx.s
        return t * -dl, (np.log(t) + t / t - x) * dl if ctx.needs_input_grad[1] else None, None


class KLDivLogFunction(ArrayFunction):
    """L = e^u (u − x), reduced;  dx = −e^u s dL,  du = e^u (u − x + 1) s dL."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, u: np.ndarray, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, u)
        ctx.s = scale(reduction, x.size)
        return total(np.exp(u) * (u - x), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, u = ctx.saved_tensors
        dl = np.exp(u) * (dL * ctx.s)
        return -dl, (u - x + 1) * dl if ctx.needs_input_grad[1] else None, None


class PoissonFunction(ArrayFunction):
    """L = e^x − t x (+ log t!), reduced;  dx = (e^x − t) s dL,  dt = (−x (+ log t + 1/2t where t > 1)) s dL."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, full: bool, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s, ctx.full = scale(reduction, x.size), full
        L = np.exp(x) - t * x
        return total(L + _stirling(t) if full else L, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        dl = dL * ctx.s
        dx = (np.exp(x) - t) * dl if ctx.needs_input_grad[0] else None
        return dx, _target_slope(ctx, -x, t) * dl if ctx.needs_input_grad[1] else None, None, None


class PoissonRateFunction(ArrayFunction):
    """L = x − t log(x + ε) (+ log t!), reduced;  dx = (1 − t / (x + ε)) s dL,  dt = (−log(x + ε) (+ …)) s dL."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, eps: float, full: bool, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s, ctx.full, ctx.eps = scale(reduction, x.size), full, eps
        L = x - t * np.log(x + eps)
        return total(L + _stirling(t) if full else L, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        dl = dL * ctx.s
        dx = (1 - t / (x + ctx.eps)) * dl if ctx.needs_input_grad[0] else None
        dt = _target_slope(ctx, -np.log(x + ctx.eps), t) * dl if ctx.needs_input_grad[1] else None
        return dx, dt, None, None, None


def _stirling(t: np.ndarray) -> np.ndarray:
    """Stirling's approximation of log t!, t log t − t + ½ log 2πt where t > 1, else 0."""
    u = np.where(t > 1, t, 1)
    return np.where(t > 1, u * np.log(u) - u + 0.5 * np.log(2 * math.pi * u), 0)


def _target_slope(ctx: Any, slope: Any, t: Any) -> Any:
    """The loss's slope along t: with log t! in it, log t + 1/2t is added where t > 1."""
    return slope + keep(np.log(t) + 0.5 / t, array_of(t) > 1) if ctx.full else slope


class GaussianFunction(ArrayFunction):
    """L = ½ (log v + (x − t)² / v) (+ ½ log 2π) with v = max(variance, ε), reduced.

    dx = (x − t) / v · s dL,  dt = −dx,  dv = ½ (1/v − (x − t)² / v²) s dL: at a variance below ε it is that of ε, so
    that a variance which has become too small can grow again.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, t: np.ndarray, variance: np.ndarray, full: bool, eps: float, reduction: str
    ) -> np.ndarray:
        ctx.save_for_backward(x, t, variance)
        v = np.maximum(variance, eps)
        ctx.lift = np.maximum(eps - variance, 0)  # 0 at ∞, where v − variance is nan
        L = np.asarray(0.5 * (np.log(v) + np.square(x - t) / v))
        ctx.s = scale(reduction, L.size)
        return total(L + 0.5 * math.log(2 * math.pi) if full else L, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t, variance = ctx.saved_tensors
        v = variance + ctx.lift
        z = (x - t) / v
        dl = dL * ctx.s
        dx = z * dl
        dv = (1 / v - z * z) * (0.5 * dl) if ctx.needs_input_grad[2] else None
        return dx, -dx if ctx.needs_input_grad[1] else None, dv, None, None, None


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Kullback-Leibler divergence t (log t − x) of log-probabilities x from t, or e^t (t − x) with ``log_target``.

    ``reduction="batchmean"`` divides the sum by the first dimension's size, which is the mathematical definition; the
    mean over all elements gives PyTorch's warning. Gradients: see the module's text; dt is −∞ where t = 0. Raises
    RuntimeError for integers, ValueError for nan in the target.
    """
    check_tensors("kl_div", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size; 'batchmean' divides "
            "only by the batch size, and aligns with the mathematical definition of the divergence.",
            stacklevel=2,
        )
    for x in (array_of(input), array_of(target)):
        if x.dtype.kind != "f":
            raise RuntimeError(f"kl_div: Integral inputs not supported, but got {x.dtype}; convert it with .float()")
    sum_first = "sum" if reduction == "batchmean" else reduction
    x, t = pair("kl_div", sum_first, input, target)
    L = (KLDivLogFunction if log_target else KLDivFunction).apply(x, t, sum_first)
    if reduction == "batchmean" and array_of(input).ndim:
        check_not_empty("kl_div", len(array_of(input)), "mean")
        return L / len(array_of(input))
    return L


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood of counts t under a Poisson distribution: e^x − t x, or x − t log(x + ε) for rates x.

    ``full`` adds Stirling's approximation of log t!, t log t − t + ½ log 2πt, where t > 1. Gradients: see the
    module's text. Raises ValueError for nan in the target.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = pair("poisson_nll_loss", reduction, input, target)
    x, t = to_float(x), to_float(t)
    if log_input:
        return PoissonFunction.apply(x, t, full, reduction)
    return PoissonRateFunction.apply(x, t, eps, full, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Negative log-likelihood of t under normal distributions of mean x and variance v: ½ (log v + (x − t)² / v).

    ``var`` is a number, or has the input's shape, or that without the last dimension, or with one dimension 1; below
    ``eps`` it counts as ``eps``. ``full`` adds ½ log 2π. Gradients: see ``GaussianFunction``. Raises ValueError for a
    negative variance, another shape of ``var`` and nan in the target. Nix & Weigend 1994.
    """
    name = "gaussian_nll_loss"
    check_tensors(name, input=input, target=target)
    x, t = array_of(input), array_of(target)
    if isinstance(var, (int, float)):
        # the type of an integer input would cut var to an integer
        var = np.full(x.shape, var, x.dtype if x.dtype.kind == "f" else default_numpy_dtype())
    check_tensors(name, var=var)
    v = array_of(var)
    check_float(name, v, RuntimeError)
    if (v < 0).any():
        raise ValueError(f"{name}: var has negative entry/entries: the smallest is {v.min()}")
    if v.shape != x.shape:
        if v.shape == x.shape[:-1]:
            var = var.reshape(*v.shape, 1)
        elif v.ndim != x.ndim or sum(m for n, m in zip(x.shape, v.shape) if n != m) != 1:
            raise ValueError(
                f"{name}: var is of incorrect size: {list(v.shape)} for an input of {list(x.shape)}; give the input's "
                "shape, that without its last dimension, or one with a single dimension of 1"
            )
    check_reduction(reduction)
    check_no_nan(name, t)
    input, target, var = promote(input, target, var)
    check_float(name, array_of(input))
    check_not_empty(name, x.size, reduction)
    return together(GaussianFunction, input, target, var, full, eps, reduction)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence from log-probabilities; see ``kl_div``."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts; see ``poisson_nll_loss``."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Any, target: Any) -> Any:
        return poisson_nll_loss(log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(Loss):
    """Negative log-likelihood under predicted means and variances; see ``gaussian_nll_loss``."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)
