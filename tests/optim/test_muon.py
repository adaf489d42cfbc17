"""Muon and its Newton-Schulz iteration against PyTorch and against what they promise."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
from ndl.kernels.newton_schulz import newton_schulz, round_to_bfloat16
from ndl.optim import Muon
from tests.optim.pair import Pair

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def test_bfloat16_is_pytorchs() -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(10000) * 10.0 ** rng.integers(-30, 30, 10000)).astype(np.float32)
    x[:6] = [0.0, -0.0, np.inf, -np.inf, 1 + 2**-8, 1 + 3 * 2**-8]  # the last two are ties
    expected = torch.from_numpy(x.copy()).bfloat16().float().numpy()
    assert np.array_equal(round_to_bfloat16(x.copy()), expected)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 3), (1, 7), (8, 8)])
def test_small_matrices_are_pytorchs_bit_for_bit(shape: tuple) -> None:
    """But for the rare sum whose last float32 digit decides a rounding to bfloat16."""
    from torch.optim._muon import _zeropower_via_newtonschulz

    rng = np.random.default_rng(1)
    draws, equal = 200, 0
    for _ in range(draws):
        g = rng.standard_normal(shape)
        theirs = _zeropower_via_newtonschulz(torch.from_numpy(g), COEFFICIENTS, 5, 1e-7).float().numpy()
        ours = newton_schulz(g, COEFFICIENTS, 5, 1e-7)
        equal += np.array_equal(ours, theirs)
        assert np.abs(ours - theirs).max() < 0.05
    assert equal >= 0.95 * draws


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (64, 64)])
def test_singular_values_are_about_one_and_directions_stay(shape: tuple) -> None:
    g = np.random.default_rng(2).standard_normal(shape)
    U, _, Vt = np.linalg.svd(g, full_matrices=False)
    o = newton_schulz(g, COEFFICIENTS, 5, 1e-7)
    s = np.linalg.svd(o, compute_uv=False)
    assert s.max() < 1.3 and np.median(s) > 0.65
    inside = U.T @ o @ Vt.T  # diagonal, as far as bfloat16 goes
    assert np.abs(inside - np.diag(np.diag(inside))).max() < 0.05
    # The coefficients that converge give U Vᵀ itself.
    exact = newton_schulz(g, (1.875, -1.25, 0.375), 25, 1e-7)
    assert np.abs(exact - U @ Vt).max() < 0.02


@BOTH
def test_a_step_has_the_size_that_adjust_lr_fn_says(T: Any) -> None:
    """Of an orthogonal gradient: θ moves by γ √(A/B), or with match_rms_adamw by 0.2 γ as root mean square."""
    Q = np.linalg.qr(np.random.default_rng(3).standard_normal((64, 16)))[0]
    for adjust, expected in (
        (None, 0.1 * (64 / 16) ** 0.5 * 16**0.5),
        ("match_rms_adamw", 0.1 * 0.2 * (64 * 16) ** 0.5),
    ):
        p = T.nn.Parameter(T.zeros(64, 16, dtype=T.float64))
        p.grad = T.from_numpy(Q.copy())
        T.optim.Muon([p], lr=0.1, adjust_lr_fn=adjust, ns_coefficients=(1.875, -1.25, 0.375), ns_steps=20).step()
        assert np.linalg.norm(p.detach().numpy()) == pytest.approx(expected, rel=0.02)


def test_float32_and_missing_gradients() -> None:
    pair = Pair([(6, 4), (3, 9)], lambda T, params: T.optim.Muon(params, lr=0.02), np.float32)
    pair.step(5, missing=[1])
    pair.step(5)
    assert all(w.dtype == np.float32 for w in pair.weights(ndl))
    assert pair.error() <= 5e-3


def test_zero_gradients_only_decay() -> None:
    p = ndl.nn.Parameter(ndl.ones(3, 2))
    p.grad = ndl.zeros(3, 2)
    Muon([p], lr=0.1, weight_decay=0.5).step()
    assert p.tolist() == [[pytest.approx(0.95)] * 2] * 3


def test_arguments_are_pytorchs() -> None:
    ours, theirs = [list(inspect.signature(T.optim.Muon).parameters.values()) for T in (ndl, torch)]
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@BOTH
def test_refused(T: Any) -> None:
    matrix, vector = T.nn.Parameter(T.ones(2, 3)), T.nn.Parameter(T.ones(2))
    with pytest.raises(ValueError, match="Muon only supports 2D parameters"):
        T.optim.Muon([matrix, vector])
    for option, message in (
        ({"lr": -1}, "Learning rate should be >= 0 but is: -1"),
        ({"momentum": -1}, "momentum should be >= 0 but is: -1"),
        ({"weight_decay": -1}, "weight decay should be >= 0 but is: -1"),
        ({"adjust_lr_fn": "mine"}, "Adjust learning rate function mine is not supported"),
    ):
        with pytest.raises(ValueError, match=message):
            T.optim.Muon([matrix], **option)
    matrix.grad = T.ones(2, 3)
    for option, message in (
        ({"ns_steps": 100}, "Number of steps must be less than 100"),
        ({"ns_coefficients": (1.0, 2.0)}, "must be a tuple of exactly 3 values"),
    ):
        with pytest.raises(ValueError, match=message):
            T.optim.Muon([matrix], **option).step()
