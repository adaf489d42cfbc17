"""Adamax: Adam with the largest gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import AdamaxConstants, adamax, constant, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_betas, check_flags, check_number

__all__ = ["Adamax"]


class Adamax(ElementwiseOptimizer):
    """Every weight moves by its mean gradient over its largest recent one, at most about γ a step.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ                     running mean of the gradient,  m₀ = 0
        uₜ = max(β₂ uₜ₋₁, |gₜ| + ε)                    the largest, slowly forgotten, u₀ = 0
        θₜ = θₜ₋₁ − γ / (1 − β₁ᵗ) · mₜ / uₜ            γ lr, ε eps

    Why a maximum: Adam's v is the squared L2 norm of the past gradients, weighted; in the Lᵖ norm it would be
    uₜᵖ = β₂ᵖ uₜ₋₁ᵖ + (1 − β₂ᵖ) |gₜ|ᵖ, and p → ∞ leaves the largest term. A maximum is not biased towards its
    beginning, so only m is corrected.

    ``maximize`` climbs. ``foreach`` and ``capturable`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for negative options and betas outside [0, 1).

    State: ``step`` t, ``exp_avg`` m, ``exp_inf`` u.

    Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 2 (ε as in PyTorch).
    """

    _like_parameter = ("exp_avg", "exp_inf")
    _chain = staticmethod(adamax)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": 0, "exp_inf": 0}

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> AdamaxConstants:
        (t,) = numbers
        beta1, beta2 = [scalar(beta) for beta in group["betas"]]
        return AdamaxConstants(
            beta1=constant(beta1, dtype),
            one_minus_beta1=constant(1 - beta1, dtype),
            beta2=constant(beta2, dtype),
            step_size=constant(scalar(group["lr"]) / (1 - beta1**t), dtype),
            eps=constant(group["eps"], dtype),
            weight_decay=optional(decayed(group)[0], dtype),
            maximize=group["maximize"],
        )
