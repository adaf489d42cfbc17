"""ASGD: stochastic gradient descent, and the average of the weights it passes through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import ASGDConstants, asgd, constant, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar, writable
from ndl.optim.options import check_flags, check_number

__all__ = ["ASGD"]


class ASGD(ElementwiseOptimizer):
    """Gradient descent with falling steps; beside the weights θ it keeps their running average a.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        θₜ = (1 − λ′ ηₜ) θₜ₋₁ − ηₜ gₜ                   λ′ lambd
        aₜ = aₜ₋₁ + μₜ (θₜ − aₜ₋₁)
        ηₜ₊₁ = γ / (1 + λ′ γ t)^α,     η₁ = γ          γ lr, α alpha
        μₜ₊₁ = 1 / max(1, t − t₀),     μ₁ = 1          t₀ t0: averaging begins there; until then a = θ

    Near the minimum, gradients of batches keep θ jumping about it. The jumps average out: a comes as near as the best
    second-order method would, asymptotically, while η falls more slowly than 1/t.

    The average is not written to the parameters: it is ``optimizer.state[p]["ax"]``, and it is for whoever trains to
    use it. With the default t₀ = 10⁶ it equals θ for the first million steps; ``ndl.optim.swa_utils`` averages
    whole models.

    ``maximize`` climbs. ``foreach`` and ``capturable`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for a negative lr or weight_decay.

    State: ``step`` t, ``eta`` η, ``mu`` μ (float32 numbers, also for float64 weights, as in PyTorch), ``ax`` a.

    Source: B. Polyak, A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control and
    Optimization 30, 1992; W. Xu, "Towards optimal one pass large scale learning with averaged stochastic gradient
    descent", 2011 (the choice of η).
    """

    _like_parameter = ("ax",)
    _counters = ("step", "eta", "mu")
    _chain = staticmethod(asgd)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        check_number("weight_decay value", weight_decay)
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": 0.0, "eta": group["lr"], "mu": 1.0}

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"ax": 0}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        (t,) = super()._advance(group, state)
        eta, mu = writable(state["eta"]), writable(state["mu"])
        numbers = eta.item(), mu.item()
        lr = scalar(group["lr"])
        eta.fill(lr / (1 + group["lambd"] * lr * t) ** group["alpha"])
        mu.fill(1 / max(1, t - group["t0"]))
        return numbers

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> ASGDConstants:
        eta, mu = numbers
        return ASGDConstants(
            eta=constant(eta, dtype),
            shrink=constant(1 - group["lambd"] * eta, dtype),
            mu=None if mu == 1 else constant(mu, dtype),
            weight_decay=optional(decayed(group)[0], dtype),
            maximize=group["maximize"],
        )
