"""RAdam: Adam that does not divide by v before it knows v."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import RAdamConstants, constant, optional, radam
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_betas, check_flags, check_number

__all__ = ["RAdam"]


class RAdam(ElementwiseOptimizer):
    """Adam with a warm-up that follows from how much is known about the second moment.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ,   m̂ₜ = mₜ / (1 − β₁ᵗ)
        vₜ = β₂ vₜ₋₁ + (1 − β₂) gₜ²
        ρ∞ = 2 / (1 − β₂) − 1,        ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
        ρₜ > 5:   rₜ = √((ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ))
                  θₜ = θₜ₋₁ − γ rₜ m̂ₜ √(1 − β₂ᵗ) / (√vₜ + ε)
        else      θₜ = θₜ₋₁ − γ m̂ₜ                     γ lr, ε eps

    In the first steps v is an average of few squares, and 1/√v has a large variance (an infinite one, in the paper's
    model, for ρ ≤ 4), so Adam's first steps may go far astray; this is why people warm its learning rate up. ρₜ is
    the length of the plain average that is worth as much as the exponential one; rₜ makes the variance of the step
    the same for all t, and rises to 1. (The bound 5 is PyTorch's; the paper has 4.)

    ``decoupled_weight_decay`` shrinks the weights by 1 − γ λ as AdamW does. ``maximize`` climbs. ``foreach`` and
    ``capturable`` choose among PyTorch's implementations and change nothing; ``differentiable=True`` is not here.
    Raises ValueError for negative options and betas outside [0, 1).

    State: ``step`` t, ``exp_avg`` m, ``exp_avg_sq`` v.

    Source: L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2.
    """

    _like_parameter = ("exp_avg", "exp_avg_sq")
    _chain = staticmethod(radam)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        check_number("epsilon value", eps)
        check_betas(betas)
        check_number("weight_decay value", weight_decay)
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": 0, "exp_avg_sq": 0}

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> RAdamConstants:
        (t,) = numbers
        beta1, beta2 = [scalar(beta) for beta in group["betas"]]
        step_size = scalar(group["lr"]) / (1 - beta1**t)
        correction = 1 - beta2**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / correction
        trusted = rho > 5.0
        if trusted:
            r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
            step_size = step_size * r * correction**0.5
        weight_decay, shrink = decayed(group)
        return RAdamConstants(
            beta1=constant(beta1, dtype),
            one_minus_beta1=constant(1 - beta1, dtype),
            beta2=constant(beta2, dtype),
            one_minus_beta2=constant(1 - beta2, dtype),
            step_size=constant(step_size, dtype),
            eps=constant(group["eps"], dtype) if trusted else None,
            weight_decay=optional(weight_decay, dtype),
            shrink=optional(shrink, dtype),
            maximize=group["maximize"],
        )
