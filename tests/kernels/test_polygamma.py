"""Known values, the recurrence, and PyTorch's (in as many digits as it has) of the derivatives of digamma."""

import math

import numpy as np
import pytest
import torch

from ndl.kernels.polygamma import polygamma
from ndl.kernels.special import digamma

ZETA_3, CATALAN = 1.2020569031595942854, 0.91596559417721901505


@pytest.mark.parametrize(
    ("n", "x", "value"),
    [
        (1, 1.0, math.pi**2 / 6),
        (1, 0.5, math.pi**2 / 2),
        (1, 0.25, math.pi**2 + 8 * CATALAN),
        (1, -0.5, math.pi**2 / 2 + 4),
        (2, 1.0, -2 * ZETA_3),
        (2, 0.5, -14 * ZETA_3),
        (3, 1.0, math.pi**4 / 15),
        (3, 0.5, math.pi**4),
        (1, 1e10, 1e-10),
        (2, np.inf, 0.0),
    ],
)
def test_known_values(n, x, value):
    assert polygamma(n, np.array([x])) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_recurrence(n):
    # ψ⁽ⁿ⁾(x + 1) = ψ⁽ⁿ⁾(x) + (−1)ⁿ n! / xⁿ⁺¹, across all three ways of computing it
    x = np.linspace(-6.3, 20.2, 200)
    step = (-1.0) ** n * math.factorial(n) * x ** -(n + 1.0)
    a, b = polygamma(n, x + 1), polygamma(n, x)
    np.testing.assert_allclose(a - b, step, rtol=0, atol=1e-13 * np.max(np.abs([a, b, step])))
    scale = np.abs(a) + np.abs(b) + np.abs(step)
    assert np.max(np.abs(a - b - step) / scale) < 1e-13


def test_the_first_is_the_derivative_of_digamma():
    x, h = np.linspace(1, 9, 33), 1e-3
    slope = (digamma(x - 2 * h) - 8 * digamma(x - h) + 8 * digamma(x + h) - digamma(x + 2 * h)) / (12 * h)
    np.testing.assert_allclose(polygamma(1, x), slope, rtol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_pytorchs_values(n):
    x = np.concatenate([np.linspace(0.1, 30, 100), np.linspace(-4.7, -0.3, 45) + 0.013])
    np.testing.assert_allclose(polygamma(n, x), torch.polygamma(n, torch.from_numpy(x)).numpy(), rtol=1e-10, atol=1e-10)


def test_poles_and_nan():
    x = np.array([0.0, -0.0, -1.0, -7.0])
    assert (polygamma(1, x) == np.inf).all() and (polygamma(2, x) == -np.inf).all()
    assert np.isnan(polygamma(1, np.array([np.nan]))).all()


def test_types_layouts_and_bad_orders():
    x = np.linspace(0.5, 4, 12).reshape(3, 4)
    for dtype in (np.float16, np.float32):
        y = polygamma(1, x.astype(dtype))
        assert y.dtype == dtype
        np.testing.assert_allclose(y, polygamma(1, x.astype(dtype).astype(np.float64)), rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(polygamma(2, x.T[::-1]), polygamma(2, x).T[::-1])
    assert polygamma(1, np.ones((0, 3))).shape == (0, 3) and polygamma(1, np.array(2.0)).shape == ()
    with pytest.raises(ValueError, match="n = 0"):
        polygamma(0, x)
