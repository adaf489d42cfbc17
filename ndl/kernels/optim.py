"""The updates of the optimisers on arrays, in place: what ``ndl.optim`` derives, as NumPy passes for ``run_chain``.

Every ufunc call is one pass over one piece; its last argument is where the result goes. Constants are 0-d arrays of
the weights' type, which NumPy takes three times as fast as Python floats.

Why the passes need not be fewer: SGD with momentum reads p, g, b and writes p, b, five arrays through RAM however it
is written. In the cache its four passes cost less than that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

absolute, add, divide, multiply, negative = np.absolute, np.add, np.divide, np.multiply, np.negative
maximum, minimum, sqrt, subtract = np.maximum, np.minimum, np.sqrt, np.subtract

Scratch = np.ndarray | None


def constant(value: Any, dtype: np.dtype) -> np.ndarray:
    """A number as a 0-d array of the weights' type."""
    return np.array(value, dtype)


def optional(value: Any, dtype: np.dtype) -> np.ndarray | None:
    """``constant``, or None where the formula does without."""
    return None if value is None else np.array(value, dtype)


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


class AdamaxConstants(NamedTuple):
    """What step t of Adamax multiplies with; None where the formula does without."""

    beta1: np.ndarray
    one_minus_beta1: np.ndarray
    beta2: np.ndarray
    step_size: np.ndarray  # γ / (1 − β₁ᵗ)
    eps: np.ndarray
    weight_decay: np.ndarray | None
    maximize: bool


def adamax(
    c: AdamaxConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, m: np.ndarray, u: np.ndarray
) -> None:
    """m ← β₁ m + (1 − β₁) g;  u ← max(β₂ u, |g| + ε);  p ← p − γₜ m / u. In place on p, m and u."""
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    _average(m, g, c.beta1, c.one_minus_beta1, x)
    multiply(u, c.beta2, u)
    maximum(u, add(absolute(g, x), c.eps, x), out=u)
    subtract(p, divide(multiply(m, c.step_size, x), u, x), p)


class NAdamConstants(NamedTuple):
    """What step t of NAdam multiplies with; None where the formula does without."""

    beta1: np.ndarray
    one_minus_beta1: np.ndarray
    beta2: np.ndarray
    one_minus_beta2: np.ndarray
    gradient: np.ndarray  # γ √(1 − β₂ᵗ) (1 − μₜ) / (1 − μ₁…μₜ)
    momentum: np.ndarray  # γ √(1 − β₂ᵗ) μₜ₊₁ / (1 − μ₁…μₜ₊₁)
    eps: np.ndarray  # ε √(1 − β₂ᵗ)
    weight_decay: np.ndarray | None  # λ, where it is part of the gradient
    shrink: np.ndarray | None  # 1 − γ λ, where it is decoupled from it
    maximize: bool


def nadam(
    c: NAdamConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray
) -> None:
    """m and v as in Adam;  p ← p − (a g + b m) / (√v + εₜ). In place on p, m and v."""
    if c.shrink is not None:
        multiply(p, c.shrink, p)
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    _average(m, g, c.beta1, c.one_minus_beta1, x)
    _average_of_squares(v, g, c.beta2, c.one_minus_beta2, x)
    root = add(sqrt(v, x), c.eps, x)
    subtract(p, divide(multiply(g, c.gradient, w), root, w), p)
    subtract(p, divide(multiply(m, c.momentum, w), root, w), p)


class RAdamConstants(NamedTuple):
    """What step t of RAdam multiplies with; None where the formula does without."""

    beta1: np.ndarray
    one_minus_beta1: np.ndarray
    beta2: np.ndarray
    one_minus_beta2: np.ndarray
    step_size: np.ndarray  # γ / (1 − β₁ᵗ), and with it rₜ √(1 − β₂ᵗ) once v is trusted
    eps: np.ndarray | None  # None: v is not trusted yet, and nothing is divided
    weight_decay: np.ndarray | None
    shrink: np.ndarray | None
    maximize: bool


def radam(
    c: RAdamConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray
) -> None:
    """m and v as in Adam;  p ← p − γₜ m, or p − γₜ m / (√v + ε). In place on p, m and v."""
    if c.shrink is not None:
        multiply(p, c.shrink, p)
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    _average(m, g, c.beta1, c.one_minus_beta1, x)
    _average_of_squares(v, g, c.beta2, c.one_minus_beta2, x)
    step = multiply(m, c.step_size, x)
    if c.eps is not None:
        step = divide(step, add(sqrt(v, w), c.eps, w), x)
    subtract(p, step, p)


class AdagradConstants(NamedTuple):
    """γₜ = γ / (1 + (t − 1) η), ε and λ; None where the formula does without."""

    step_size: np.ndarray
    eps: np.ndarray
    weight_decay: np.ndarray | None
    maximize: bool


def adagrad(c: AdagradConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, s: np.ndarray) -> None:
    """s ← s + g²;  p ← p − γₜ g / (√s + ε). In place on p and s."""
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    add(s, multiply(g, g, x), s)
    root = add(sqrt(s, x), c.eps, x)
    subtract(p, divide(multiply(g, c.step_size, w), root, w), p)


class AdadeltaConstants(NamedTuple):
    """γ, ρ, 1 − ρ, ε and λ; None where the formula does without."""

    lr: np.ndarray
    rho: np.ndarray
    one_minus_rho: np.ndarray
    eps: np.ndarray
    weight_decay: np.ndarray | None
    maximize: bool


def adadelta(
    c: AdadeltaConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, v: np.ndarray, u: np.ndarray
) -> None:
    """v ← ρ v + (1 − ρ) g²;  δ = g √(u + ε) / √(v + ε);  u ← ρ u + (1 − ρ) δ²;  p ← p − γ δ. In place on p, v and u."""
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    _average_of_squares(v, g, c.rho, c.one_minus_rho, x)
    delta = divide(g, sqrt(add(v, c.eps, x), x), w)
    delta = multiply(delta, sqrt(add(u, c.eps, x), x), w)
    _average_of_squares(u, delta, c.rho, c.one_minus_rho, x)
    subtract(p, multiply(delta, c.lr, x), p)


class RMSpropConstants(NamedTuple):
    """γ, α, 1 − α, ε, λ and μ; None where the formula does without."""

    lr: np.ndarray
    alpha: np.ndarray
    one_minus_alpha: np.ndarray
    eps: np.ndarray
    weight_decay: np.ndarray | None
    momentum: np.ndarray | None
    centered: bool
    maximize: bool


def rmsprop(
    c: RMSpropConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, v: np.ndarray, *others: np.ndarray
) -> None:
    """v ← α v + (1 − α) g²;  p ← p − γ g / (√v + ε), along a running sum b or around a running mean a of g.

    ``others`` are b, with momentum, then a, if centered. In place on p, v, b and a.
    """
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    _average_of_squares(v, g, c.alpha, c.one_minus_alpha, x)
    variance = v
    if c.centered:
        a = others[-1]
        # a + (1 − α)(g − a), not α a + (1 − α) g: of a constant gradient it is the gradient, and v − a² stays ≥ 0.
        add(a, multiply(subtract(g, a, x), c.one_minus_alpha, x), a)
        variance = subtract(v, multiply(a, a, x), x)
    root = add(sqrt(variance, x), c.eps, x)
    step = divide(g, root, w)
    if c.momentum is not None:
        b = others[0]
        multiply(b, c.momentum, b)
        step = add(b, step, b)
    subtract(p, multiply(step, c.lr, x), p)


class RpropConstants(NamedTuple):
    """η⁻, η⁺ and the smallest and largest step."""

    eta_minus: np.ndarray
    eta_plus: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    maximize: bool


def rprop(
    c: RpropConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, before: np.ndarray, size: np.ndarray
) -> None:
    """size ← size η;  p ← p − sign(g) size, where the sign did not turn. In place on p, before and size."""
    if c.maximize:
        g = negative(g, w)
    factor = np.asarray(multiply(g, before, x))  # an array also where there are no axes
    same, turned = factor > 0, factor < 0
    factor.fill(1)  # also for nan, whose sign is 0 in PyTorch
    np.copyto(factor, c.eta_plus, where=same)
    np.copyto(factor, c.eta_minus, where=turned)
    multiply(size, factor, size)
    minimum(maximum(size, c.smallest, out=size), c.largest, out=size)
    np.copyto(before, g)
    np.copyto(before, 0, where=turned)
    sign = subtract(np.greater(before, 0, out=factor), before < 0, factor)
    subtract(p, multiply(sign, size, factor), p)


class ASGDConstants(NamedTuple):
    """ηₜ, 1 − λ′ηₜ, μₜ and λ; None where the formula does without."""

    eta: np.ndarray
    shrink: np.ndarray
    mu: np.ndarray | None  # None: 1
    weight_decay: np.ndarray | None
    maximize: bool


def asgd(c: ASGDConstants, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray, a: np.ndarray) -> None:
    """p ← (1 − λ′η) p − η g;  a ← a + μ (p − a). In place on p and a."""
    g = _gradient(c.maximize, c.weight_decay, w, x, p, g)
    multiply(p, c.shrink, p)
    subtract(p, multiply(g, c.eta, x), p)
    if c.mu is None:
        np.copyto(a, p)
    else:
        add(a, multiply(subtract(p, a, x), c.mu, x), a)


def lerp(weight: np.ndarray, w: Scratch, x: Scratch, a: np.ndarray, b: np.ndarray) -> None:
    """a ← a + weight (b − a). In place on a."""
    add(a, multiply(subtract(b, a, x), weight, x), a)


def _gradient(
    maximize: bool, weight_decay: np.ndarray | None, w: Scratch, x: Scratch, p: np.ndarray, g: np.ndarray
) -> np.ndarray:
    """±g + λ p, in w where it is not g itself."""
    if maximize:
        g = negative(g, w)
    return g if weight_decay is None else add(g, multiply(p, weight_decay, x), w)


def _average(m: np.ndarray, g: np.ndarray, beta: np.ndarray, one_minus_beta: np.ndarray, x: Scratch) -> None:
    """m ← β m + (1 − β) g."""
    multiply(m, beta, m)
    add(m, multiply(g, one_minus_beta, x), m)


def _average_of_squares(v: np.ndarray, g: np.ndarray, beta: np.ndarray, one_minus_beta: np.ndarray, x: Scratch) -> None:
    """v ← β v + (1 − β) g²."""
    multiply(v, beta, v)
    add(v, multiply(multiply(g, one_minus_beta, x), g, x), v)
