import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.comparison", examples=12)


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_special_values_of_two(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit"])
def test_special_values_of_one(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


def test_tensors_equal_nothing_but_numbers_and_tensors():
    x = ndl.ones(2)
    assert (x == None) is False and (x != None) is True and (x == "one") is False  # noqa: E711
    for T in (ndl, torch):
        with pytest.raises(TypeError):
            T.eq(T.ones(2), "one")
        with pytest.raises(TypeError):
            T.ones(2) < None  # noqa: B015


def test_a_tensor_is_still_a_key():
    x, y = ndl.ones(2), ndl.ones(2)
    places = {x: "x", y: "y"}
    assert places[x] == "x" and places[y] == "y" and len({x, y, x}) == 2
    assert x in [x, y] and hash(x) == hash(x)


def test_whole_numbers_are_compared_exactly():
    same(lambda T, n: (n == 2**53, n == n - 1, n < 2**62), np.array([2**53 + 1]))
    # A number that the type cannot hold wraps around first.
    same(lambda T, n: (n == -1, n < 300, n <= 199, n == 2**32 + 200), np.array([0, 200, 255], np.uint8))


def test_integers_meet_floats_in_the_floats_type():
    same(lambda T, n: (n == 2.0**24, n > 2.0**24), np.array([2**24 + 1]))
    same(lambda T, x: (x.float() == 0.1, x == 0.1, x.float() == x), np.array([0.1]))


def test_results_have_no_gradient():
    x = ndl.ones(2, requires_grad=True)
    for y in (x == 1, x < x, ndl.isnan(x), ndl.isclose(x, x), x.signbit()):
        assert y.dtype == ndl.bool and not y.requires_grad and y.is_leaf
    same(lambda T, x: x * (x > 1) + x * (x < 1) * 2, np.array([0.5, 1.0, 2.0]))


def test_in_place_comparison_cuts_the_gradient():
    same(lambda T, x: (x * 3).eq_(1) + x, np.array([0.5, 1.0]))
    same(lambda T, x: (x * 3).lt_(T.ones(2)) * x, np.array([0.1, 1.0]))


def test_isclose_and_allclose():
    x = np.array([1.0, 2.0])
    refused(lambda T, x: T.isclose(x, x.float()), x)
    refused(lambda T, x: T.allclose(x, x.float()), x)
    assert "rtol" in refused(lambda T, x: T.isclose(x, x, rtol=-1), x)
    refused(lambda T, x: T.isclose(x, x, atol=-1), x)
    refused(lambda T, x: T.isclose(x, 1.0), x, error=TypeError)
    refused(lambda T, x: T.isclose(x, T.ones(3).double()), x)
    # The tolerance is a part of other's size, not of input's.
    agree(lambda T: [T.allclose(T.tensor([a]), T.tensor([3.0 - a]), rtol=0.6) for a in (1.0, 2.0)])
    agree(lambda T: T.allclose(T.ones(2), T.ones(2) + 1e-6))
    agree(lambda T: T.allclose(T.ones(2), T.ones(2) + 1e-4))
    agree(lambda T: T.allclose(T.tensor([float("nan")]), T.tensor([float("nan")]), equal_nan=True))
    assert ndl.allclose(ndl.ones(2), ndl.ones(1)) is True


def test_equal_is_about_shape_and_values():
    agree(lambda T: [T.equal(T.ones(2), x) for x in (T.ones(2), T.ones(1), T.ones(2, 1), T.zeros(2), T.ones(2).long())])
    agree(lambda T: T.equal(T.tensor([float("nan")]), T.tensor([float("nan")])))
    agree(lambda T: T.equal(T.ones(0), T.ones(0)))
    refused(lambda T, x: T.equal(x, 1), np.ones(1), error=TypeError)


def test_is_nonzero_wants_one_element():
    agree(lambda T: [T.is_nonzero(T.tensor(v)) for v in (0, 2, 0.0, [True], [[0.5]], float("nan"))])
    refused(lambda T, x: T.is_nonzero(x), np.ones(2))
    refused(lambda T, x: T.is_nonzero(x), np.ones(0))


def test_empty_and_broadcast():
    same(lambda T, x, y: (x < y, x == 1, T.isnan(x)), np.ones((0, 3)), np.ones((1, 3)))
    same(lambda T, x, y: x >= y, np.arange(3.0), np.arange(2.0).reshape(2, 1))
