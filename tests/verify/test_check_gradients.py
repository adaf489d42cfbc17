"""``ndl.verify.check`` where differences are hard: float32 in between, steep functions, gradients that are zero, kinks."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ndl
from ndl import nn
from ndl.autograd import Function
from ndl.verify import check
from ndl.verify.slopes import slopes


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def function(forward: Callable, backward: Callable) -> Callable:
    """``apply`` of a Function with these two."""
    return type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply  # type: ignore[attr-defined]


def doubled(dtype: Any, factor: float) -> Callable:
    """2x, computed in another type."""
    return function(lambda ctx, x: (2 * x.to(dtype)).to(x.dtype), lambda ctx, dy: factor * dy)


def rms_norm(right: bool) -> Callable:
    """RMSNorm with float32 in between; wrong is dx without its mean term, and halved."""

    def forward(ctx: Any, x: Any, g: Any) -> Any:
        r = (x.float().square().mean(-1, keepdim=True) + 1e-6).rsqrt()
        n = x.float() * r
        ctx.save_for_backward(n.to(x.dtype), r.to(x.dtype), g)
        return n.to(x.dtype) * g

    def backward(ctx: Any, dy: Any) -> tuple:
        n, r, g = ctx.saved_tensors
        dn = dy * g
        return r * (dn - n * (dn * n).mean(-1, keepdim=True)) if right else r * dn / 2, dy * n

    return function(forward, backward)


def product(factor: float) -> Callable:
    """x Wᵀ, computed in float32."""

    def forward(ctx: Any, x: Any, W: Any) -> Any:
        ctx.save_for_backward(x, W)
        return (x.float() @ W.float().T).to(x.dtype)

    def backward(ctx: Any, dy: Any) -> tuple:
        x, W = ctx.saved_tensors
        return factor * (dy @ W), factor * (dy.T @ x)

    return function(forward, backward)


def encoding(factor: float) -> Callable:
    """sin and cos of ten octaves of x, as in NeRF."""
    octaves = ndl.from_numpy(np.pi * 2.0 ** np.arange(10))

    def forward(ctx: Any, x: Any) -> Any:
        a = x[..., None] * octaves.to(x.dtype)
        ctx.save_for_backward(a)
        return ndl.cat([a.sin(), a.cos()], -1)

    def backward(ctx: Any, dy: Any) -> Any:
        (a,) = ctx.saved_tensors
        return factor * ((dy[..., :10] * a.cos() - dy[..., 10:] * a.sin()) * octaves.to(dy.dtype)).sum(-1)

    return function(forward, backward)


def steep(factor: float) -> Callable:
    """sin 200x."""

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (200 * x).sin()

    return function(forward, lambda ctx, dy: factor * 200 * dy * (200 * ctx.saved_tensors[0]).cos())


def scores(right: bool) -> Callable:
    """Attention scores with a bias of the keys, which adds the same to a whole row: its gradient is zero."""

    def forward(ctx: Any, q: Any, k: Any, b: Any) -> Any:
        p = ndl.softmax(q @ (k + b).T, -1)
        ctx.save_for_backward(q, k, b, p)
        return p

    def backward(ctx: Any, dy: Any) -> tuple:
        q, k, b, p = ctx.saved_tensors
        ds = p * (dy - (dy * p).sum(-1, keepdim=True))
        dk = ds.T @ q
        return ds @ (k + b), dk, dk.sum(0) if right else q.sum(0) + 7

    return function(forward, backward)


KEYS = [normal(5, 4), normal(6, 4, seed=4), normal(4, seed=5)]
TRIALS: dict[str, tuple[Callable, Callable, list]] = {
    "float32": (doubled(ndl.float32, 2), doubled(ndl.float32, 1), [normal(16, 16)]),
    "RMSNorm in float32": (rms_norm(True), rms_norm(False), [normal(2, 3, 8), normal(8)]),
    "larger RMSNorm": (rms_norm(True), rms_norm(False), [normal(2, 8, 16), normal(16)]),
    "product in float32": (product(1), product(0.5), [normal(32, 8), normal(6, 8)]),
    "encoding": (encoding(1), encoding(1.02), [normal(32, 3)]),
    "steep": (steep(1), steep(0.5), [normal(20, 20)]),
    "zero": (scores(True), scores(False), KEYS),
}


@pytest.mark.parametrize("name", TRIALS)
def test_the_right_one_passes_and_the_wrong_one_does_not(name: str) -> None:
    right, wrong, inputs = TRIALS[name]
    report = check(right, *inputs)
    assert report and "gradients" in report.passed, str(report)
    assert "kink" not in str(report) and "NOT" not in str(report), str(report)
    report = check(wrong, *inputs)
    assert [which for which, _ in report.problems if which == "gradients"], str(report)
    assert re.search(r"✗ gradients: .*: (\d+) of \1 elements are wrong", str(report)), str(report)


@pytest.mark.parametrize(("factor", "found"), [(1.0, True), (2.0, False), (1.001, True)])
def test_float32_is_known_to_some_digits(factor: float, found: bool) -> None:
    text = str(check(doubled(ndl.float32, factor), normal(4, 5)))
    assert re.search("small steps.* to about .e-0[56] of its largest", text), text
    assert ("✗ gradients: input 0: 20 of 20" in text) == found, text


def test_what_cannot_be_told_is_not_said_to_be_checked() -> None:
    report = check(doubled(ndl.float16, 2), normal(4, 5))
    assert report and "gradients" not in report.passed and "NOT checked" in str(report), str(report)
    assert not check(doubled(ndl.float16, 1), normal(4, 5))
    report = check(ndl.relu, np.zeros((3, 4)))
    assert report and "gradients" not in report.passed and "12 of 12 elements lie on a kink" in str(report)
    assert "steps" not in str(report)


def test_the_key_bias_of_attention_lies_on_no_kink() -> None:
    x = normal(1, 3, 4)
    for report in (
        check(nn.MultiheadAttention(4, 2, batch_first=True), x, x, x),
        check(nn.TransformerEncoderLayer(4, 2, 3, dropout=0.0, activation="gelu", batch_first=True), x),
    ):
        assert report and not report.notes, str(report)


def test_a_gradient_that_is_zero_may_round_in_float32() -> None:
    report = check(nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)), normal(2, 2, 6, 6))
    assert report and "float32" in report.passed, str(report)


def test_all_zero_is_checked_as_well() -> None:
    for f in (lambda x: x * x, lambda x: x**3 + 2 * x, lambda x: x * 0):
        report = check(f, np.zeros((2, 3)))
        assert report and "gradients" in report.passed and not report.notes, str(report)
    assert not check(function(lambda ctx, x: x * x, lambda ctx, dy: dy), np.zeros(3))


def test_a_small_kink_between_two_steps_is_seen_in_a_second_look() -> None:
    x = normal(6)
    x[2] = 3e-4  # within the first step
    small = ndl.from_numpy(np.array([1.0, 1.0, 1e-5, 1.0, 1.0, 1.0]))
    report = check(lambda x: (x.sum() + (x.relu() * small.to(x.dtype)).sum()).reshape(1), x)
    assert report and "gradients" in report.passed and not report.notes, str(report)


def test_many_kinks_are_no_float32() -> None:
    x = np.append(np.linspace(-1e-3, 1e-3, 20001) + 1e-9, 0.5)  # some are crossed by the shortest of paths
    s = slopes(lambda x: np.maximum(x, 0), x, np.array([0, 20001]))
    assert not s.coarse.any() and not s.kink.any() and s.uncertain.max() < 1e-9


def test_slopes() -> None:
    x = np.array([0.5, 0.0, 1e-5, -1e-4, 2.0])
    s = slopes(lambda x: np.where(x > 0, x * x + 3 * x, np.sin(500 * x)), x, np.arange(5))
    assert s.kink.tolist() == [False, True, False, False, False] and not s.coarse.any()
    right = np.where(x > 0, 2 * x + 3, 500 * np.cos(500 * x))
    at = ~s.kink
    assert np.all(np.abs(np.diag(s.columns) - right)[at] <= s.uncertain[at] + 1e-9 * np.abs(right)[at])
    assert s.uncertain[at].max() < 1e-5
    single = slopes(lambda x: np.sin(x.astype(np.float32)).astype(np.float64), x, np.arange(5))
    assert single.coarse.all() and not single.kink.any()
    assert np.all(np.abs(np.diag(single.columns) - np.cos(x)) <= single.uncertain) and single.uncertain.max() < 1e-3
