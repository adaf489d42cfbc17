"""The updates of SGD and Adam on arrays, in place: what ``ndl.optim`` derives, as NumPy passes for ``run_chain``.

Every ufunc call is one pass over one piece; its last argument is where the result goes. Constants are 0-d arrays of
the weights' type, which NumPy takes three times as fast as Python floats.

Why the passes need not be fewer: SGD with momentum reads p, g, b and writes p, b, five arrays through RAM however it
is written. In the cache its four passes cost less than that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

add, divide, multiply, negative = np.add, np.divide, np.multiply, np.negative
maximum, sqrt, subtract = np.maximum, np.sqrt, np.subtract

Scratch = np.ndarray | None


def constant(value: Any, dtype: np.dtype) -> np.ndarray:
    """A number as a 0-d array of the weights' type."""
    return np.array(value, dtype)


class SGDConstants(NamedTuple):
    """γ, λ, μ and 1 − τ; None where the formula does without."""

    lr: np.ndarray
    weight_decay: np.ndarray | None
    momentum: np.ndarray
    undamped: np.ndarray | None  # None: 1
    nesterov: bool
    maximize: bool


def sgd(c: SGDConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, b: np.ndarray | None = None) -> None:
    """g ← ±g + λ p;  b ← μ b + (1 − τ) g;  p ← p − γ (b, or g + μ b with Nesterov). In place on p and b."""
    if c.maximize:
        g = negative(g, w)
    if c.weight_decay is not None:
        g = add(g, multiply(p, c.weight_decay, x), w)
    if b is not None:
        multiply(b, c.momentum, b)
        add(b, g if c.undamped is None else multiply(g, c.undamped, x), b)
        g = add(g, multiply(b, c.momentum, x), w) if c.nesterov else b
    subtract(p, multiply(g, c.lr, x), p)


class AdamConstants(NamedTuple):
    """What step t of Adam multiplies with; None where the formula does without."""

    beta1: np.ndarray
    one_minus_beta1: np.ndarray
    beta2: np.ndarray
    one_minus_beta2: np.ndarray
    step_size: np.ndarray  # γₜ = γ √(1 − β₂ᵗ) / (1 − β₁ᵗ)
    eps: np.ndarray  # εₜ = ε √(1 − β₂ᵗ)
    weight_decay: np.ndarray | None  # λ, where it is part of the gradient
    shrink: np.ndarray | None  # 1 − γ λ, where it is decoupled from it
    maximize: bool


def adam(
    c: AdamConstants,
    w: Scratch,
    x: Scratch,
    p: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    v_max: np.ndarray | None = None,
) -> None:
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  p ← p − γₜ m / (√v + εₜ). In place on p, m, v and v_max."""
    if c.maximize:
        g = negative(g, w)
    if c.shrink is not None:
        multiply(p, c.shrink, p)
    if c.weight_decay is not None:
        g = add(g, multiply(p, c.weight_decay, x), w)
    multiply(m, c.beta1, m)
    add(m, multiply(g, c.one_minus_beta1, x), m)
    multiply(v, c.beta2, v)
    add(v, multiply(multiply(g, c.one_minus_beta2, x), g, x), v)
    # w may hold g, which has done its work.
    root = sqrt(v if v_max is None else maximum(v_max, v, out=v_max), w)
    subtract(p, divide(multiply(m, c.step_size, x), add(root, c.eps, w), x), p)
