"""Muon: momentum made orthogonal, for matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.newton_schulz import newton_schulz
from ndl.optim.optimizer import Optimizer, scalar, writable

__all__ = ["Muon"]


class Muon(Optimizer):
    """Every weight matrix moves by an orthogonal matrix: all its directions are learnt at the same speed.

        bₜ = μ bₜ₋₁ + (1 − μ) gₜ,   gₜ = ∂L/∂θ         μ momentum, b₀ = 0
        dₜ = μ bₜ + (1 − μ) gₜ with nesterov, else bₜ
        oₜ = NewtonSchulz(dₜ) ≈ U Vᵀ                   where dₜ = U S Vᵀ
        θₜ = (1 − γ λ) θₜ₋₁ − γ′ oₜ                    γ lr, λ weight_decay
        γ′ = γ √max(1, A/B)                            for θ of A rows and B columns: "original", the default
        γ′ = 0.2 γ √max(A, B)                          "match_rms_adamw": steps as large as AdamW's, whose γ and λ fit

    The gradient of a layer, dy xᵀ summed over a batch, mostly has few large singular values: a plain step moves the
    weights along few directions. U Vᵀ keeps the directions and makes all singular values about 1. It is the steepest
    descent for steps that are measured by the largest singular value, ‖Δθ‖₂ ≤ γ′, as sign(g) is for the largest
    element. How NewtonSchulz finds it without an SVD: ``ndl.kernels.newton_schulz``; ``ns_coefficients`` (a, b, c),
    ``ns_steps``, and ``eps``, below which the norm of d is not divided by.

    Only for parameters with two axes, the hidden layers' weights; biases, gains and embeddings go to AdamW. Raises
    ValueError for others, for negative options, an unknown ``adjust_lr_fn`` and 100 steps or more.

    State: ``momentum_buffer`` b.

    Sources: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; J. Liu et al., "Muon
    is scalable for LLM training", 2025 (weight decay and match_rms_adamw).
    """

    _like_parameter = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in {"Learning rate": lr, "momentum": momentum, "weight decay": weight_decay}.items():
            if not value >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Adjust learning rate function {adjust_lr_fn} is not supported: give 'original' or 'match_rms_adamw'"
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}. "
                        "Give biases, gains and embeddings to AdamW"
                    )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of all parameters that have a gradient; returns ``closure()``, if it is given."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["ns_steps"] >= 100:
                raise ValueError(
                    f"Number of steps must be less than 100 for computational efficiency: {group['ns_steps']}"
                )
            if len(group["ns_coefficients"]) != 3:
                raise ValueError(f"Coefficients must be a tuple of exactly 3 values: {group['ns_coefficients']}")
            for p in group["params"]:
                if p._grad is not None:
                    self._update(p, p._grad._array, group)
        return loss

    def _update(self, p: Tensor, g: np.ndarray, group: dict[str, Any]) -> None:
        if g.ndim != 2:  # a parameter that add_param_group took in
            raise ValueError(f"Param gradient must be a 2D matrix, but has shape {list(g.shape)}")
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = Tensor._wrap(np.zeros_like(g))
        b = writable(state["momentum_buffer"])
        mu = group["momentum"]
        with np.errstate(all="ignore"):
            b += (1 - mu) * (g - b)
            d = b + (1 - mu) * (g - b) if group["nesterov"] else b  # (A, B)
            o = newton_schulz(d, group["ns_coefficients"], group["ns_steps"], group["eps"])  # (A, B)
            lr = scalar(group["lr"])
            theta = writable(p)
            theta *= theta.dtype.type(1 - lr * group["weight_decay"])
            theta -= theta.dtype.type(lr * _ratio(group["adjust_lr_fn"], *g.shape)) * o


def _ratio(adjust: str | None, rows: int, columns: int) -> float:
    """γ′ / γ."""
    if adjust == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))
