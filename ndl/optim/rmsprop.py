"""RMSprop: gradients divided by their recent size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import RMSpropConstants, constant, optional, rmsprop
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_flags, check_number

__all__ = ["RMSprop"]


class RMSprop(ElementwiseOptimizer):
    """Every weight moves by its gradient over the root mean square of its recent gradients.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay
        vₜ = α vₜ₋₁ + (1 − α) gₜ²                      v₀ = 0
        aₜ = α aₜ₋₁ + (1 − α) gₜ                       a₀ = 0, with centered; else a = 0
        dₜ = gₜ / (√(vₜ − aₜ²) + ε)                    ε eps
        bₜ = μ bₜ₋₁ + dₜ                               μ momentum, b₀ = 0
        θₜ = θₜ₋₁ − γ bₜ                               γ lr

    Rprop uses signs of gradients alone, which fails for batches: nine gradients of +0.1 and one of −0.9 should nearly
    cancel. Dividing by a size that changes slowly keeps both the scale-free step and the cancelling. ``centered``
    divides by the standard deviation in place of the root mean square: a gradient that is steady takes large steps.

    v begins at 0 and is not corrected (Adam does): the first step is γ g / (√(1 − α) |g|), ten times γ for α = 0.99.

    ``maximize`` climbs. ``foreach`` and ``capturable`` choose among PyTorch's implementations and change nothing;
    ``differentiable=True`` is not here. Raises ValueError for negative options.

    State: ``step`` t, ``square_avg`` v, with momentum ``momentum_buffer`` b, if centered ``grad_avg`` a.

    Sources: T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", 2012; A. Graves, "Generating sequences with recurrent
    neural networks", 2013, equations 38 to 41 (centered, there with ε under the root).
    """

    _like_parameter = ("square_avg", "momentum_buffer", "grad_avg")
    _chain = staticmethod(rmsprop)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        check_number("epsilon value", eps)
        check_number("momentum value", momentum)
        check_number("weight_decay value", weight_decay)
        check_number("alpha value", alpha)
        check_flags(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        arrays = {"square_avg": 0}
        if group["momentum"] > 0:
            arrays["momentum_buffer"] = 0
        if group["centered"]:
            arrays["grad_avg"] = 0
        return arrays

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        super()._advance(group, state)
        return ()  # all steps have the same constants

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> RMSpropConstants:
        return RMSpropConstants(
            lr=constant(scalar(group["lr"]), dtype),
            alpha=constant(group["alpha"], dtype),
            one_minus_alpha=constant(1 - group["alpha"], dtype),
            eps=constant(group["eps"], dtype),
            weight_decay=optional(decayed(group)[0], dtype),
            momentum=constant(group["momentum"], dtype) if group["momentum"] > 0 else None,
            centered=group["centered"],
            maximize=group["maximize"],
        )
