"""One rounding, against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from ndl.kernels.fma import fused_multiply_add, scale_and_shift

DTYPES = [np.float32, np.float64]


def exact(x: float, a: float, b: float, dtype: type) -> float:
    value = Fraction(float(x)) * Fraction(float(a)) + Fraction(float(b))
    if dtype is np.float64:
        return float(value)  # rounds a fraction correctly
    # The nearest of the three float32 numbers around, of two equally near ones the even.
    near = np.float32(float(value))
    around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    return min(around, key=lambda c: (abs(Fraction(float(c)) - value), c.view(np.int32) & 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("a", "b"), [(1.7, 0.3), (-0.0722, 0.0361), (4.2, -1.1), (1e10, -3.3), (1e-10, 5.0)])
def test_is_rounded_once(dtype: type, a: float, b: float) -> None:
    a, b = float(dtype(a)), float(dtype(b))
    x = np.random.default_rng(0).standard_normal(2000).astype(dtype)
    x[:100] = dtype(-b / a) * (1 + np.arange(100, dtype=dtype) * np.finfo(dtype).eps)  # the sum nearly cancels
    expected = np.array([exact(v, a, b, dtype) for v in x], dtype)
    twice_rounded = x * dtype(a) + dtype(b)
    for compute in (fused_multiply_add, scale_and_shift):
        y = x.copy()
        compute(y, a, b)
        assert y.dtype == dtype
        assert np.array_equal(y, expected)
    assert not np.array_equal(twice_rounded, expected), "the case would not notice a second rounding"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (1.0, 0.3), (1.7, 0.0)])
def test_the_cheap_ways_are_exact_too(dtype: type, a: float, b: float) -> None:
    x = np.random.default_rng(1).standard_normal(500).astype(dtype)
    expected = np.array([exact(v, dtype(a), dtype(b), dtype) for v in x], dtype)
    scale_and_shift(x, float(dtype(a)), float(dtype(b)))
    assert np.array_equal(x, expected)
