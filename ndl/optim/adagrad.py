"""Adagrad: each weight's step shrinks with the gradients it has had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import AdagradConstants, adagrad, constant, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_flags, check_number

__all__ = ["Adagrad"]


class Adagrad(ElementwiseOptimizer):
    """Every weight moves by its gradient over the root of all its squared gradients.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        γₜ = γ / (1 + (t − 1) η)                       γ lr, η lr_decay
        sₜ = sₜ₋₁ + gₜ²                                s₀ = initial_accumulator_value
        θₜ = θₜ₋₁ − γₜ gₜ / (√sₜ + ε)                  ε eps

    A weight that rarely gets a gradient, as that of a rare word, still takes large steps when it gets one. s only
    grows, so the steps fall like 1/√t and at last stand still: what RMSprop, Adadelta and Adam mend by forgetting.

    ``maximize`` climbs. ``foreach`` and ``fused`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for negative options.

    State, made at once for all parameters: ``step`` t, ``sum`` s.

    Source: J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", JMLR 12, 2011.
    """

    _like_parameter = ("sum",)
    _chain = staticmethod(adagrad)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_number("learning rate", lr)
        check_number("lr_decay value", lr_decay)
        check_number("weight_decay value", weight_decay)
        check_number("initial_accumulator_value value", initial_accumulator_value)
        check_number("epsilon value", eps)
        check_flags(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(p, self.state[p], group)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"sum": self.defaults["initial_accumulator_value"]}

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> AdagradConstants:
        (t,) = numbers
        return AdagradConstants(
            step_size=constant(scalar(group["lr"]) / (1 + (t - 1) * group["lr_decay"]), dtype),
            eps=constant(group["eps"], dtype),
            weight_decay=optional(decayed(group)[0], dtype),
            maximize=group["maximize"],
        )
