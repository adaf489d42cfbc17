"""Rprop: only the signs of the gradients count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import RpropConstants, constant, rprop
from ndl.optim.elementwise import ElementwiseOptimizer
from ndl.optim.options import check_flags, check_number

__all__ = ["Rprop"]


class Rprop(ElementwiseOptimizer):
    """Every weight has a step of its own, which grows while its gradient keeps its sign and shrinks when it turns.

        gₜ = ∂L/∂θ
        gₜ gₜ₋₁ > 0:   Δₜ = min(η⁺ Δₜ₋₁, Δ_max)        onwards, faster
        gₜ gₜ₋₁ < 0:   Δₜ = max(η⁻ Δₜ₋₁, Δ_min)        a minimum was passed: gₜ ← 0, so it waits this once,
                                                       and the next step counts as a fresh start
        gₜ gₜ₋₁ = 0:   Δₜ = Δₜ₋₁
        θₜ = θₜ₋₁ − Δₜ sign(gₜ)                        Δ₀ = γ lr, g₀ = 0; (η⁻, η⁺) etas, (Δ_min, Δ_max) step_sizes

    For the gradient of the whole data set: the sign of a batch's gradient is mostly noise (see RMSprop). ``lr`` is
    the first step only; changing it later changes nothing.

    ``maximize`` climbs. ``foreach`` and ``capturable`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for a negative lr, and unless 0 < η⁻ < 1 < η⁺.

    State: ``step`` t, ``prev`` g of the step before, ``step_size`` Δ.

    Source: M. Riedmiller, H. Braun, "A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm", 1993, here without taking the passed step back (iRprop⁻; C. Igel, M. Hüsken, 2000).
    """

    _like_parameter = ("prev", "step_size")
    _chain = staticmethod(rprop)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"prev": 0, "step_size": group["lr"]}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        super()._advance(group, state)
        return ()  # all steps have the same constants

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> RpropConstants:
        (eta_minus, eta_plus), (smallest, largest) = group["etas"], group["step_sizes"]
        return RpropConstants(
            eta_minus=constant(eta_minus, dtype),
            eta_plus=constant(eta_plus, dtype),
            smallest=constant(smallest, dtype),
            largest=constant(largest, dtype),
            maximize=group["maximize"],
        )
