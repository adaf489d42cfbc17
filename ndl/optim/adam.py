"""Adam and AdamW: steps that are scaled element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype
from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.chains import run_chain
from ndl.kernels.optim import AdamConstants, adam, constant
from ndl.optim.optimizer import Optimizer, scalar, writable
from ndl.optim.options import check_flags, check_number

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
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
        for i, beta in enumerate(betas):
            check_number(f"beta parameter at index {i}", beta, below=1)
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for s in self.state.values():
            if "step" in s and not isinstance(s["step"], Tensor):  # older states count in Python's numbers
                s["step"] = Tensor._wrap(np.array(s["step"], default_numpy_dtype()))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of all parameters that have a gradient; returns ``closure()``, if it is given."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            constants: dict[tuple, AdamConstants] = {}
            work: list = []
            for p in group["params"]:
                if p._grad is None:
                    continue
                g = p._grad._array
                state = self.state[p]
                if not state:
                    self._begin(p, state, group["amsgrad"])
                arrays: tuple[np.ndarray, ...] = (
                    writable(p),
                    g,
                    writable(state["exp_avg"]),
                    writable(state["exp_avg_sq"]),
                )
                if group["amsgrad"]:
                    arrays = (*arrays, writable(state["max_exp_avg_sq"]))
                steps = writable(state["step"])
                t = steps.item() + 1
                steps.fill(t)
                key = (g.dtype, t)
                c = constants.get(key)
                if c is None:
                    c = constants[key] = _constants(group, g.dtype, t)
                work.append((c, arrays))
            run_chain(adam, work)
        return loss

    @staticmethod
    def _begin(p: Tensor, state: dict[str, Any], amsgrad: bool) -> None:
        state["step"] = Tensor._wrap(np.zeros((), default_numpy_dtype()))
        state["exp_avg"] = Tensor._wrap(np.zeros_like(p._array))
        state["exp_avg_sq"] = Tensor._wrap(np.zeros_like(p._array))
        if amsgrad:
            state["max_exp_avg_sq"] = Tensor._wrap(np.zeros_like(p._array))


def _constants(group: dict[str, Any], dtype: np.dtype, t: float) -> AdamConstants:
    lr, eps, weight_decay = scalar(group["lr"]), group["eps"], scalar(group["weight_decay"])
    beta1, beta2 = [scalar(beta) for beta in group["betas"]]
    root = (1 - beta2**t) ** 0.5
    decoupled = group["decoupled_weight_decay"]
    return AdamConstants(
        beta1=constant(beta1, dtype),
        one_minus_beta1=constant(1 - beta1, dtype),
        beta2=constant(beta2, dtype),
        one_minus_beta2=constant(1 - beta2, dtype),
        step_size=constant(lr / (1 - beta1**t) * root, dtype),
        eps=constant(eps * root, dtype),
        weight_decay=constant(weight_decay, dtype) if weight_decay != 0 and not decoupled else None,
        shrink=constant(1 - lr * weight_decay, dtype) if weight_decay != 0 and decoupled else None,
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
