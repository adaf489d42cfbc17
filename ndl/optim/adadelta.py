"""Adadelta: steps in the units of the weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import AdadeltaConstants, adadelta, constant, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_flags, check_number

__all__ = ["Adadelta"]


class Adadelta(ElementwiseOptimizer):
    """Every weight moves by its gradient times (its recent steps) / (its recent gradients), as root mean squares.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        vₜ = ρ vₜ₋₁ + (1 − ρ) gₜ²                      v₀ = 0
        δₜ = gₜ √(uₜ₋₁ + ε) / √(vₜ + ε)                ε eps
        uₜ = ρ uₜ₋₁ + (1 − ρ) δₜ²                      u₀ = 0
        θₜ = θₜ₋₁ − γ δₜ                               γ lr

    g has the units of L/θ, and so has √v: a step g/√v has none, and its size must be given by hand. √u brings the
    units of θ, as the inverse of the second derivative does in Newton's method; γ = 1 is meant to do. ε starts it:
    the first step is about √(ε/(1 − ρ)).

    ``maximize`` climbs. ``foreach`` and ``capturable`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for negative options and for rho above 1.

    State: ``step`` t, ``square_avg`` v, ``acc_delta`` u.

    Source: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1.
    """

    _like_parameter = ("square_avg", "acc_delta")
    _chain = staticmethod(adadelta)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        check_number("epsilon value", eps)
        check_number("weight_decay value", weight_decay)
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"square_avg": 0, "acc_delta": 0}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        super()._advance(group, state)
        return ()  # all steps have the same constants

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> AdadeltaConstants:
        return AdadeltaConstants(
            lr=constant(scalar(group["lr"]), dtype),
            rho=constant(group["rho"], dtype),
            one_minus_rho=constant(1 - group["rho"], dtype),
            eps=constant(group["eps"], dtype),
            weight_decay=optional(decayed(group)[0], dtype),
            maximize=group["maximize"],
        )
