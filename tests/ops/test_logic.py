import numpy as np
import pytest

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.logic", examples=12)


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
def test_special_values(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)
    same_everywhere(lambda T, x: T.logical_not(x))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64])
def test_bits_of_every_type(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.min, info.max, 0, 1, 100, info.max // 3], dtype)
    y = x[::-1].copy()
    same(lambda T, x, y: (x & y, x | y, x ^ y, ~x, x & 5, 5 | x, x ^ 1), x, y)
    shifts = np.arange(6).astype(dtype)
    same(lambda T, x, s: (x << s, x >> s, x << 1, x >> 2, 1 << s, x << 64, x >> 64), x, shifts)


def test_shifts_beyond_the_type_lose_all_bits():
    same(lambda T, n: (n << -1, n >> -1, n << 63, n << 65, n >> 63), np.array([1, 2, -5]))


def test_masks():
    m, n = np.array([True, True, False, False]), np.array([True, False, True, False])
    same(lambda T, m, n: (m & n, m | n, m ^ n, ~m, m & True, False | m, m & 1, m | 2), m, n)
    same(lambda T, m, n: (T.logical_and(m, n), m.logical_or(n), T.logical_xor(m, n), T.logical_not(m)), m, n)


def test_floats_have_no_bits():
    x, n, m = np.ones(2), np.arange(2), np.array([True])
    refused(lambda T, x: ~x, x, error=TypeError)
    refused(lambda T, x: x & x, x, error=NotImplementedError)
    refused(lambda T, n: n | 2.5, n, error=NotImplementedError)
    refused(lambda T, x: T.bitwise_not(x), x, error=NotImplementedError)
    refused(lambda T, x: x << 1, x, error=NotImplementedError)
    refused(lambda T, n: n >> 2.0, n, error=NotImplementedError)
    refused(lambda T, m: m << m, m, error=NotImplementedError)
    refused(lambda T, x: T.logical_and(x, True), x, error=TypeError)
    refused(lambda T, n: n & None, n, error=TypeError)


def test_in_place():
    def program(T, n, m):
        a, b = n * 1, m ^ False
        a &= 6
        a |= 1
        a ^= n
        a <<= 2
        a >>= 1
        b &= ~m
        return a, b, (n * 1).logical_not_(), (n * 1).bitwise_and_(3), (n * 1).logical_and_(n > 2)

    same(program, np.arange(8), np.array([True, False]))
    refused(lambda T, m: m.bitwise_and_(T.ones(2, dtype=T.int64)), np.array([True, False]))


def test_truth_of_any_type():
    x = ndl.tensor([0.0, 0.5, float("nan"), -0.0])
    assert ndl.logical_not(x).tolist() == [True, False, False, True]
    assert ndl.logical_and(x, ndl.tensor([1, 2, 3, 4])).tolist() == [False, True, True, False]
