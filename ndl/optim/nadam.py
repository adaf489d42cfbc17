"""NAdam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import NAdamConstants, constant, nadam, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar, writable
from ndl.optim.options import check_betas, check_flags, check_number

__all__ = ["NAdam"]


class NAdam(ElementwiseOptimizer):
    """Adam whose step already uses the momentum of the step to come.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        μₜ = β₁ (1 − ½ · 0.96^(t ψ))                   momentum that grows towards β₁, ψ momentum_decay
        mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ                     m₀ = 0
        vₜ = β₂ vₜ₋₁ + (1 − β₂) gₜ²                    v₀ = 0,   v̂ₜ = vₜ / (1 − β₂ᵗ)
        m̂ₜ = μₜ₊₁ mₜ / (1 − μ₁ ⋯ μₜ₊₁) + (1 − μₜ) gₜ / (1 − μ₁ ⋯ μₜ)
        θₜ = θₜ₋₁ − γ m̂ₜ / (√v̂ₜ + ε)                   γ lr, ε eps

    Adam moves along (β₁ mₜ₋₁ + (1 − β₁) gₜ): the old momentum and the new gradient. Nesterov's form replaces the old
    momentum by the new one, mₜ, which is what the next step would begin with; each part has its own correction.

    ``decoupled_weight_decay`` shrinks the weights by 1 − γ λ as AdamW does. ``maximize`` climbs. ``foreach`` and
    ``capturable`` choose among PyTorch's implementations and change nothing; ``differentiable=True`` is not here.
    Raises ValueError for negative options and betas outside [0, 1).

    State: ``step`` t, ``mu_product`` μ₁ ⋯ μₜ (a float32 number, also for float64 weights, as in PyTorch), ``exp_avg``
    m, ``exp_avg_sq`` v.

    Source: T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, algorithm 2.
    """

    _like_parameter = ("exp_avg", "exp_avg_sq")
    _counters = ("step", "mu_product")
    _chain = staticmethod(nadam)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_number("momentum_decay value", momentum_decay)
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": 0.0, "mu_product": 1.0}

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": 0, "exp_avg_sq": 0}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        (t,) = super()._advance(group, state)
        product = writable(state["mu_product"])
        product *= _mu(group, t)
        return t, product.item()

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> NAdamConstants:
        t, product = numbers
        lr = scalar(group["lr"])
        beta1, beta2 = [scalar(beta) for beta in group["betas"]]
        mu, mu_next = _mu(group, t), _mu(group, t + 1)
        root = (1 - beta2**t) ** 0.5
        weight_decay, shrink = decayed(group)
        return NAdamConstants(
            beta1=constant(beta1, dtype),
            one_minus_beta1=constant(1 - beta1, dtype),
            beta2=constant(beta2, dtype),
            one_minus_beta2=constant(1 - beta2, dtype),
            gradient=constant(lr * (1 - mu) / (1 - product) * root, dtype),
            momentum=constant(lr * mu_next / (1 - product * mu_next) * root, dtype),
            eps=constant(group["eps"] * root, dtype),
            weight_decay=optional(weight_decay, dtype),
            shrink=optional(shrink, dtype),
            maximize=group["maximize"],
        )


def _mu(group: dict[str, Any], t: float) -> Any:
    """μₜ."""
    return scalar(group["betas"][0]) * (1.0 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
