import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.trigonometry", examples=12)


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "asin", "acos", "atan", "sinc", "deg2rad", "rad2deg"])
def test_special_values_of_one(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


@pytest.mark.parametrize("name", ["atan2", "hypot"])
def test_special_values_of_two(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


def test_known_angles():
    half = ndl.tensor(0.5, dtype=ndl.float64)
    assert ndl.asin(half).item() == pytest.approx(np.pi / 6) and ndl.acos(half).item() == pytest.approx(np.pi / 3)
    assert ndl.atan2(ndl.tensor(-1.0), ndl.tensor(-1.0)).item() == pytest.approx(-3 * np.pi / 4)
    assert ndl.deg2rad(ndl.tensor(180.0)).item() == pytest.approx(np.pi)
    assert ndl.sinc(ndl.tensor([0.0, 0.5, 1.0])).tolist() == pytest.approx([1, 2 / np.pi, 0], abs=1e-7)


def test_hypot_does_not_overflow():
    x = ndl.tensor([3e300], dtype=ndl.float64, requires_grad=True)
    y = ndl.hypot(x, x * 4 / 3)
    assert y.item() == pytest.approx(5e300)


def test_types():
    same(lambda T, n: (T.sin(n), T.cos(n), T.atan2(n, n + 1), T.deg2rad(n)), np.arange(1))
    refused(lambda T, n: T.hypot(n, n), np.arange(3), error=NotImplementedError)
    assert [f(ndl.ones(1)).item() for f in (ndl.arcsin, ndl.arccos, ndl.arctan)] == pytest.approx(
        [np.pi / 2, 0, np.pi / 4]
    )


def test_the_third_derivative_of_the_sine_is_minus_the_cosine():
    x = y = ndl.linspace(-3, 3, 7, dtype=ndl.float64, requires_grad=True)
    y = ndl.sin(x)
    for _ in range(3):
        (y,) = ndl.autograd.grad(y, x, ndl.ones_like(x), create_graph=True)
    np.testing.assert_allclose(y.detach().numpy(), -np.cos(x.detach().numpy()), rtol=1e-14)
