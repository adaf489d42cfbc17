import math

import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.special", examples=12)


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv"])
def test_special_values(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


def test_special_values_of_lgamma_right_of_zero():
    # Left of 0, PyTorch's digamma loses digits.
    same_everywhere(lambda T, x: T.lgamma(abs(x)))


def test_values_against_pythons_own():
    x = np.linspace(0.05, 5, 41)
    t = ndl.from_numpy(x)
    for f, g in ((ndl.erf, math.erf), (ndl.erfc, math.erfc), (ndl.lgamma, math.lgamma)):
        np.testing.assert_allclose(f(t).numpy(), [g(v) for v in x], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(ndl.erf(ndl.erfinv(t / 6)).numpy(), x / 6, rtol=1e-14)


def test_digamma_is_the_derivative_of_lgamma_and_polygamma_all_further_ones():
    x = y = ndl.tensor([0.5, 1.0, 2.5], dtype=ndl.float64, requires_grad=True)
    y = ndl.lgamma(x)
    for n in range(4):
        (y,) = ndl.autograd.grad(y, x, ndl.ones_like(x), create_graph=True)
        np.testing.assert_array_equal(y.detach().numpy(), ndl.polygamma(n, x).detach().numpy())
    # ψ(1/2) = −γ − 2 ln 2
    assert ndl.digamma(x)[0].item() == pytest.approx(-0.5772156649015329 - 2 * math.log(2), rel=1e-15)


def test_polygamma_needs_a_whole_number():
    assert "n = -1" in refused(lambda T, x: T.polygamma(-1, x), np.ones(1))


def test_types():
    same(
        lambda T, n, m: (T.erf(n), T.erf(m), n.erfc(), T.lgamma(n + 1), T.erf(n.half())), np.arange(3), np.array([True])
    )
    refused(lambda T, n: n.erf_(), np.arange(3))


def test_inputs_are_kept_results_are_free():
    for name in ("erf", "erfc", "erfinv", "lgamma"):
        same(lambda T, x: getattr(T, name)(x).mul_(2), np.array([0.25, 0.5]))  # noqa: B023
