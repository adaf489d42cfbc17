"""lgamma against the C library's and PyTorch's, digamma against PyTorch's and against its own equations."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from ndl.kernels.gamma import digamma, lgamma

EULER = 0.5772156649015329


def error(y: np.ndarray, expected: np.ndarray, scale: float = 0.0) -> float:
    """The largest difference in units in the last place of ``expected``, or of ``scale`` if that is larger."""
    return float(np.max(np.abs(y - expected) / np.spacing(np.maximum(np.abs(expected), scale))))


def test_published_values() -> None:
    # Γ(1/2) = sqrt(pi), Γ(n) = (n-1)!
    assert lgamma(np.array([0.5, 1.0, 2.0, 3.0, 11.0])).tolist() == pytest.approx(
        [math.log(math.pi) / 2, 0, 0, math.log(2), math.log(3628800)], rel=4e-16, abs=0
    )
    # ψ(1) = -γ, ψ(1/2) = -γ - 2 log 2, ψ(n + 1) = ψ(n) + 1/n
    assert digamma(np.array([1.0, 0.5, 2.0, 11.0])).tolist() == pytest.approx(
        [-EULER, -EULER - 2 * math.log(2), 1 - EULER, 7381 / 2520 - EULER], rel=4e-16
    )


def test_digamma_of_whole_and_half_numbers() -> None:
    # ψ(n) = -γ + Σ 1/k for k < n,  ψ(n + 1/2) = -γ - 2 log 2 + Σ 2/(2k - 1) for k <= n
    n = np.arange(1, 60)
    whole = [float(sum(Fraction(1, k) for k in range(1, m)) - Fraction(EULER)) for m in n.tolist()]
    half = [
        float(sum(Fraction(2, 2 * k - 1) for k in range(1, m + 1)) - Fraction(EULER) - Fraction(2 * math.log(2)))
        for m in n.tolist()
    ]
    assert error(digamma(n.astype(float)), np.array(whole), scale=1) <= 2
    assert error(digamma(n + 0.5), np.array(half), scale=1) <= 2


@pytest.mark.parametrize(
    ("low", "high"),
    [(1e-3, 3), (2, 12), (9.9, 10.1), (10, 300), (1e5, 1e6), (1e300, 2e305), (1e-300, 1e-290), (1e-12, 1e-6)],
)
def test_lgamma_right_of_0(low: float, high: float) -> None:
    x = np.linspace(low, high, 10_001)
    assert error(lgamma(x), torch.lgamma(torch.from_numpy(x)).numpy()) <= 6
    # Python's own is less exact, above all near the zeros at 1 and 2.
    assert error(lgamma(x), np.array([math.lgamma(v) for v in x]), scale=1) <= 12


def test_lgamma_keeps_its_digits_at_its_zeros() -> None:
    z = np.concatenate([np.logspace(-15, -3, 500), -np.logspace(-15, -3, 500)])
    for at, first, second in ((1, -EULER, math.pi**2 / 12), (2, 1 - EULER, math.pi**2 / 12 - 0.5)):
        x = at + z
        z_exact = x - at
        near = np.abs(z_exact) < 1e-5
        taylor = z_exact * (first + z_exact * second)
        assert np.allclose(lgamma(x)[near], taylor[near], rtol=1e-10, atol=0)


@pytest.mark.parametrize(("low", "high"), [(-0.6, -1e-3), (-3, -0.5), (-10, -3), (-150, -10), (-1e9, -1e8)])
def test_left_of_0(low: float, high: float) -> None:
    x = np.linspace(low, high, 10_007)
    x = x[x != np.rint(x)]
    assert error(lgamma(x), torch.lgamma(torch.from_numpy(x)).numpy(), scale=max(1, lgamma(-x).max())) <= 10
    # PyTorch's digamma loses digits near the poles; the reflection to 1 - x, in exact angles, does not.
    beyond = x - np.rint(x)
    expected = digamma(1 - x) - math.pi / np.tan(math.pi * beyond)
    assert (np.abs(digamma(x) - expected) <= 1e-14 * np.abs(expected) + 1e-14 * np.abs(1 / beyond)).all()
    assert np.allclose(digamma(x), torch.digamma(torch.from_numpy(x)).numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("low", "high"), [(1e-3, 3), (1.4616, 1.4617), (2, 12), (9.9, 10.1), (10, 300), (1e5, 1e300), (1e-300, 1e-2)]
)
def test_digamma_right_of_0(low: float, high: float) -> None:
    x = np.linspace(low, high, 10_001)
    # Up to 6 units of this are PyTorch's.
    assert error(digamma(x), torch.digamma(torch.from_numpy(x)).numpy(), scale=1) <= 10


def test_digamma_is_the_derivative_of_lgamma() -> None:
    x, h = np.linspace(-4.95, 15, 2001), 1e-5
    x = x[np.abs(x - np.rint(x)) > 0.02]
    slope = (lgamma(x + h) - lgamma(x - h)) / (2 * h)
    assert np.allclose(digamma(x), slope, rtol=1e-5, atol=1e-5)


def test_both_obey_their_recurrence() -> None:
    x = np.linspace(-7.003, 40, 4001)
    assert np.allclose(lgamma(x + 1), lgamma(x) + np.log(np.abs(x)), rtol=1e-12, atol=1e-11)
    assert np.allclose(digamma(x + 1), digamma(x) + 1 / x, rtol=1e-11, atol=1e-11)


def test_special_arguments_are_torchs() -> None:
    x = np.array([0.0, -0.0, -1.0, -2.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e306, -1e306, -1e20, 1e308, 2.5])
    for ours, theirs in ((lgamma, torch.lgamma), (digamma, torch.digamma)):
        expected = theirs(torch.from_numpy(x)).numpy()
        assert np.allclose(ours(x), expected, rtol=1e-14, atol=0, equal_nan=True), ours.__name__


@pytest.mark.parametrize("function", [lgamma, digamma])
def test_float32_is_float64_rounded(function) -> None:
    x = np.linspace(-5.1, 20, 5000, dtype=np.float32)
    assert np.array_equal(function(x), function(x.astype(np.float64)).astype(np.float32))
