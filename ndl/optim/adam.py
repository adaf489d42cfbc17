"""Adam and AdamW: steps that are scaled element by element. Derivation: docs/blocks/adam.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.kernels.optim import AdamConstants, adam, constant, optional
from ndl.optim.elementwise import ElementwiseOptimizer, decayed
from ndl.optim.optimizer import scalar
from ndl.optim.options import check_betas, check_flags, check_number

__all__ = ["Adam", "AdamW"]


class Adam(ElementwiseOptimizer):
    """Every weight moves by its mean gradient over its root mean square gradient, about γ a step.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay (see AdamW for the other way)
        mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ                     running mean of the gradient,        m₀ = 0
        vₜ = β₂ vₜ₋₁ + (1 − β₂) gₜ²                    running mean of its square,          v₀ = 0
        m̂ₜ = mₜ / (1 − β₁ᵗ),   v̂ₜ = vₜ / (1 − β₂ᵗ)
        θₜ = θₜ₋₁ − γ m̂ₜ / (√v̂ₜ + ε)                   γ lr, ε eps

    Why m̂: mₜ = (1 − β₁) Σₛ β₁ᵗ⁻ˢ gₛ has weights that sum to 1 − β₁ᵗ, not 1, because it began at 0. For gradients of
    one mean, dividing makes it unbiased; so does the same for v. The ratio is not changed by scaling the loss (as
    long as √v̂ ≫ ε), and for gradients that agree it is ±1.

    It is computed in the order of the paper's end of section 2, θₜ = θₜ₋₁ − γₜ mₜ / (√vₜ + εₜ) with
    γₜ = γ √(1 − β₂ᵗ) / (1 − β₁ᵗ) and εₜ = ε √(1 − β₂ᵗ): the same formula with one pass less over the weights.

    ``amsgrad`` divides by the largest vₛ so far, s ≤ t. Adam's steps can grow again after a rare large gradient is
    forgotten, and on some convex problems it then never converges; with the maximum it does (Reddi et al.).
    ``maximize`` climbs. ``decoupled_weight_decay=True`` makes it AdamW. ``foreach``, ``fused`` and ``capturable``
    choose among PyTorch's implementations; here is one, and they change nothing. ``differentiable=True`` is not here.
    Raises ValueError for negative options and betas outside [0, 1).

    State: ``step`` t, ``exp_avg`` m, ``exp_avg_sq`` v, and with amsgrad ``max_exp_avg_sq``.

    Sources: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; S. Reddi,
    S. Kale, S. Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2 (with Adam's correction of v,
    as in PyTorch).
    """

    _like_parameter = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _chain = staticmethod(adam)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_number("learning rate", lr)
        check_number("epsilon value", eps)
        check_betas(betas)
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        check_number("weight_decay value", weight_decay)
        check_flags(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        arrays = {"exp_avg": 0, "exp_avg_sq": 0}
        return {**arrays, "max_exp_avg_sq": 0} if group["amsgrad"] else arrays

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> AdamConstants:
        (t,) = numbers
        lr, eps = scalar(group["lr"]), group["eps"]
        beta1, beta2 = [scalar(beta) for beta in group["betas"]]
        root = (1 - beta2**t) ** 0.5
        weight_decay, shrink = decayed(group)
        return AdamConstants(
            beta1=constant(beta1, dtype),
            one_minus_beta1=constant(1 - beta1, dtype),
            beta2=constant(beta2, dtype),
            one_minus_beta2=constant(1 - beta2, dtype),
            step_size=constant(lr / (1 - beta1**t) * root, dtype),
            eps=constant(eps * root, dtype),
            weight_decay=optional(weight_decay, dtype),
            shrink=optional(shrink, dtype),
            maximize=group["maximize"],
        )


class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it:

        θₜ = (1 − γ λ) θₜ₋₁ − γ m̂ₜ / (√v̂ₜ + ε),        gₜ = ∂L/∂θ alone

    In Adam, λ θ is part of g and is divided by √v̂ with it: weights with large gradients are hardly decayed. Here all
    weights shrink by the same factor, so that λ and γ can be chosen apart. For SGD both are the same.

    Source: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2 (with λ
    multiplied by γ, as in PyTorch).
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also for a state that Adam saved
