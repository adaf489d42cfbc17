import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.powers")


@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "square", "reciprocal"])
def test_special_values(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


def test_special_values_of_pow():
    same_everywhere(lambda T, x, y: T.pow(x, y), 2)


@pytest.mark.parametrize("p", [0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 2.5, 1000, np.inf, np.nan])
def test_special_values_with_a_number(p):
    same_everywhere(lambda T, x: x**p)
    if not 0 < abs(p) < 1:
        same_everywhere(lambda T, x: p**x)


def test_the_fast_ways_agree_with_the_general_power():
    x = np.linspace(0.1, 3, 40)
    for p in (0.5, -0.5, -1, 1, 2, 3):
        np.testing.assert_allclose(ndl.pow(x, p), np.power(x, float(p)), rtol=1e-15)
        assert ndl.pow(x.astype(np.float32), p).dtype == np.float32


def test_integers():
    n = np.array([-2, -1, 0, 1, 2, 3])
    same(lambda T, n: (n**n, n**2, n**0, n**0.5, n**-1.0, T.square(n), n.pow(T.full_like(n, -3))), n)
    same(lambda T, n: (2 ** (n + 2), 0.5**n, T.pow(2.0, n)), n)
    assert "-1" in refused(lambda T, n: n**-1, n)
    refused(lambda T, n: n.pow_(-2), n)
    assert (ndl.tensor([3], dtype=ndl.int8) ** 5).tolist() == [-13], "wraps around"


def test_booleans():
    same(lambda T, m, n: (m**2, T.square(m), m**n, n**m, 2**m), np.array([True, False]), np.arange(2))
    refused(lambda T, m: m**m, np.array([True, False]), error=NotImplementedError)


def test_zero_to_the_power_of_zero_has_gradient_zero():
    same(lambda T, x, y: x**y, np.zeros(4), np.array([0.0, 1.0, 2.0, 0.5]))
    same(lambda T, x: x**0, np.array([0.0, np.nan, np.inf]))


def test_second_derivatives_at_zero():
    # x³ at 0 must not come by way of 0 · 0^-1.
    x = ndl.tensor([0.0], requires_grad=True)
    (g,) = ndl.autograd.grad(x**2 + x**3, x, create_graph=True)
    (h,) = ndl.autograd.grad(g, x, create_graph=True)
    (k,) = ndl.autograd.grad(h, x)
    assert (g.item(), h.item(), k.item()) == (0, 2, 6)


def test_pow_keeps_the_input_and_sqrt_the_result():
    same(lambda T, x: (x * 1) ** 2 + (x * 1).pow(0.5).mul_(2), np.arange(1.0, 4.0))

    def sqrt_input_changed(T, x):
        y = x * 1
        z = y.sqrt()
        y.add_(1)
        return z

    same(sqrt_input_changed, np.arange(1.0, 4.0))
    refused(lambda T, x: x.sqrt().mul_(2), np.arange(1.0, 4.0))
