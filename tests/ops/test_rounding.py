import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.rounding", examples=12)


@pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc", "frac", "nan_to_num"])
def test_special_values(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


@pytest.mark.parametrize("decimals", [1, 2, 5, -1])
def test_decimals(decimals):
    x = np.concatenate([np.linspace(-3, 3, 101), np.arange(-20, 20) * 5.0, [np.inf, np.nan]])
    same(lambda T, x: (T.round(x, decimals=decimals), T.round(x.float(), decimals=decimals)), x)


def test_halves_go_to_the_even_number():
    assert ndl.tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round().tolist() == [0, 2, 2, 0, -2]


def test_integers_stay_and_booleans_are_refused():
    n, m = np.arange(-2, 3), np.array([True])
    same(lambda T, n, m: (T.floor(n), n.round(), T.nan_to_num(n), T.nan_to_num(m)), n, m)
    refused(lambda T, m: T.floor(m), m, error=NotImplementedError)
    refused(lambda T, n: T.frac(n), n, error=NotImplementedError)
    refused(lambda T, n: T.round(n, decimals=1), n, error=NotImplementedError)
    copy = ndl.floor(x := ndl.arange(3))
    copy.add_(1)
    assert x.tolist() == [0, 1, 2]


def test_the_gradient_is_zero_and_not_missing():
    x = ndl.tensor([1.4, 2.6], requires_grad=True)
    ndl.round(x).sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_nan_to_num_takes_numbers_and_limits():
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    same(lambda T, x: (T.nan_to_num(x, 7.0) / 2, x.nan_to_num(nan=1, posinf=2, neginf=3), T.nan_to_num(x.half())), x)
    y = ndl.tensor([1.0, np.nan])
    ndl.nan_to_num(y)
    assert np.isnan(y[1].item())
