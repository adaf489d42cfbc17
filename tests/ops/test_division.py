import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.division")


@pytest.mark.parametrize("name", ["remainder", "fmod"])
def test_special_values(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_special_values_of_rounded_quotients(mode):
    same_everywhere(lambda T, x, y: T.div(x, y, rounding_mode=mode), 2)
    same_everywhere(lambda T, x: T.floor_divide(x.detach(), 3) + x)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.float32])
def test_signs_are_pythons_and_cs(dtype):
    x, y = (ndl.from_numpy(np.array(v, dtype)) for v in ([7, -7, 7, -7], [3, 3, -3, -3]))
    assert (x // y).tolist() == ndl.div(x, y, rounding_mode="floor").tolist() == [2, -3, -3, 2]
    assert (x % y).tolist() == [1, 2, -2, -1]
    assert ndl.div(x, y, rounding_mode="trunc").tolist() == [2, -2, -2, 2]
    assert ndl.fmod(x, y).tolist() == [1, -1, 1, -1]


def test_quotient_and_remainder_make_up_the_dividend():
    rng = np.random.default_rng(0)
    x, y = (ndl.from_numpy(rng.integers(1, 100, 50) * rng.choice([-1, 1], 50)) for _ in range(2))
    assert (x // y * y + x % y).equal(x)
    assert (ndl.div(x, y, rounding_mode="trunc") * y + ndl.fmod(x, y)).equal(x)


def test_integers_by_zero():
    n = np.arange(3)
    for f in (
        lambda T, n: n // 0,
        lambda T, n: n % n,
        lambda T, n: T.fmod(n, 0),
        lambda T, n: 5 // n,
        lambda T, n: T.div(n, 0, rounding_mode="floor"),
        lambda T, n: n.floor_divide_(0),
    ):
        assert "ZeroDivisionError" in refused(f, n)
    same(lambda T, n: n / 0, n)


def test_modes_and_types():
    assert "'ceil'" in refused(lambda T, x: T.div(x, 2, rounding_mode="ceil"), np.ones(2))
    refused(lambda T, m: m // m, np.array([True]), error=NotImplementedError)
    same(lambda T, n, x: (n // 2.0, 2 % (n + 1), n.true_divide(2)), np.arange(4), np.ones(4))
    same(lambda T, n: T.div(n, 300, rounding_mode="trunc"), np.array([-128, 127], np.int8).astype(np.int16))


def test_the_rounded_quotient_has_gradient_zero_and_floor_divide_has_none():
    same(lambda T, x: T.div(x, 0.3, rounding_mode="floor") + x, np.arange(3.0))
    assert "rounding_mode" in refused(lambda T, x: x // 0.3, np.arange(3.0))
    assert (ndl.ones(2, requires_grad=True) // 2).requires_grad


def test_only_what_is_needed_is_kept():
    x = ndl.ones(2, requires_grad=True)
    y = x * 2
    z = y % 3
    y.add_(1)  # the dividend is not needed for its own gradient
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]
