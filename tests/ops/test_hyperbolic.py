import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.hyperbolic", examples=12)


@pytest.mark.parametrize("name", ["sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "logit"])
def test_special_values(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


@pytest.mark.parametrize("eps", [0.0, 0.1, 0.5])
def test_logit_of_clamped_values(eps):
    x = np.array([0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0, 1.2, -0.3, np.nan])
    same(lambda T, x: T.logit(x, eps), x)


def test_sigmoid_is_a_tanh():
    x = ndl.linspace(-20, 20, 81, dtype=ndl.float64)
    np.testing.assert_allclose(ndl.sigmoid(x).numpy(), (1 + ndl.tanh(x / 2).numpy()) / 2, rtol=1e-7, atol=1e-16)
    np.testing.assert_allclose(ndl.logit(ndl.sigmoid(x / 4)).numpy(), x.numpy() / 4, rtol=1e-13, atol=1e-15)


def test_identity():
    x = ndl.linspace(-3, 3, 7, dtype=ndl.float64)
    np.testing.assert_allclose((ndl.cosh(x) ** 2 - ndl.sinh(x) ** 2).numpy(), 1, rtol=1e-13)
    np.testing.assert_allclose(ndl.arcsinh(ndl.sinh(x)).numpy(), x.numpy(), rtol=1e-13, atol=1e-15)


def test_saturation_has_gradient_zero_without_a_warning():
    same(lambda T, x: (T.sigmoid(x), T.tanh(x)), np.array([-1e4, -800.0, -40.0, 40.0, 800.0, np.inf, -np.inf]))


def test_tanh_and_sigmoid_keep_their_results():
    for name in ("tanh", "sigmoid"):
        refused(lambda T, x: getattr(T, name)(x).add_(1), np.ones(2))  # noqa: B023
        same(lambda T, x: getattr(x * 1, name + "_")(), np.ones(2))  # noqa: B023
        same(lambda T, n: getattr(T, name)(n), np.arange(3))  # noqa: B023
