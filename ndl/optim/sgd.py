"""Stochastic gradient descent, with momentum. Derivation: docs/blocks/sgd.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.chains import run_chain
from ndl.kernels.optim import SGDConstants, constant, sgd
from ndl.optim.optimizer import Optimizer, scalar, writable
from ndl.optim.options import check_flags, check_number

__all__ = ["SGD"]


class SGD(Optimizer):
    """θ ← θ − γ g, along the gradient g = ∂L/∂θ of a batch, or along its running sum b.

        gₜ = ∂L/∂θ + λ θₜ₋₁                            λ weight_decay: the gradient of λ/2 ‖θ‖²
        bₜ = μ bₜ₋₁ + (1 − τ) gₜ,   b₁ = g₁            μ momentum, τ dampening
        dₜ = bₜ,   or gₜ + μ bₜ with nesterov
        θₜ = θₜ₋₁ − γ dₜ                               γ lr

    In a long valley the running sum adds up what the gradients agree on, up to 1/(1 − μ) steps at once, and averages
    out what they do not. With μ = 0 there is no b and dₜ = gₜ. ``maximize`` climbs: ∂L/∂θ counts with the opposite
    sign, weight decay does not. γ multiplies b rather than entering it, so a new learning rate acts on the whole
    running sum; Sutskever's form, b ← μ b − γ g, differs there.

    Nesterov's method takes the gradient at θ + (what momentum is about to do). Written in terms of that point, which
    is what ``params`` then hold, it becomes the third line.

    ``foreach`` and ``fused`` choose among PyTorch's implementations; here is one, and they change nothing.
    ``differentiable=True`` is not here. Raises ValueError for negative options and for nesterov without momentum
    or with dampening.

    State: ``momentum_buffer``, b, of the parameter's shape.

    Sources: B. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Y. Nesterov, "A
    method for solving the convex programming problem with convergence rate O(1/k²)", 1983; I. Sutskever, J. Martens,
    G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, section 2.
    """

    _like_parameter = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_number("learning rate", lr)
        check_number("momentum value", momentum)
        check_number("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_flags(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of all parameters that have a gradient; returns ``closure()``, if it is given."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            with_momentum = group["momentum"] != 0
            constants: dict[tuple, SGDConstants] = {}
            work: list = []
            for p in group["params"]:
                if p._grad is None:
                    continue
                g = p._grad._array
                arrays: tuple[np.ndarray, ...] = (writable(p), g)
                first = False
                if with_momentum:
                    state = self.state[p]
                    b = state.get("momentum_buffer")
                    if b is None:
                        first = True  # b₀ = 0, and g₁ enters without dampening
                        b = state["momentum_buffer"] = Tensor._wrap(np.zeros_like(p._array))
                    arrays = (*arrays, writable(b))
                key = (g.dtype, first)
                c = constants.get(key)
                if c is None:
                    c = constants[key] = _constants(group, g.dtype, first)
                work.append((c, arrays))
            run_chain(sgd, work)
        return loss


def _constants(group: dict[str, Any], dtype: np.dtype, first: bool) -> SGDConstants:
    lr, weight_decay, momentum, dampening = [
        scalar(group[name]) for name in ("lr", "weight_decay", "momentum", "dampening")
    ]
    return SGDConstants(
        lr=constant(lr, dtype),
        weight_decay=constant(weight_decay, dtype) if weight_decay != 0 else None,
        momentum=constant(momentum, dtype),
        undamped=constant(1 - dampening, dtype) if dampening != 0 and not first else None,
        nesterov=group["nesterov"],
        maximize=group["maximize"],
    )
