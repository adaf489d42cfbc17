import itertools
import math

import numpy as np
import pytest
import torch

from ndl.kernels.summation import sum_over

# Each way through the kernel: small, long rows, short rows, narrow and wide columns, remainders of the blocks.
SHAPES = [
    (3, 4),
    (5000,),
    (2, 5000),
    (3000, 7),
    (129, 600),
    (400, 3, 50),
    (7, 300, 3),
    (40, 9, 5, 13),
    (70_000,),
    (0, 3),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_equals_an_exact_sum(shape: tuple, dtype: type) -> None:
    x = np.random.default_rng(0).integers(-1000, 1000, shape).astype(dtype)  # whole numbers: no rounding
    for order in itertools.permutations(range(x.ndim)):
        t = x.transpose(order)
        for count in range(x.ndim + 1):
            for axes in itertools.combinations(range(x.ndim), count):
                y = sum_over(t, axes)
                assert y.dtype == dtype
                assert np.array_equal(y, np.add.reduce(t.astype(np.int64), axes))
        assert sum_over(t) == x.astype(np.int64).sum()


def test_layouts_with_gaps_repeats_and_negative_strides():
    x = np.random.default_rng(0).integers(-9, 9, (300, 40)).astype(np.float32)
    for t in (x[::2], x[:, ::3], x[::-1], x[:, ::-1], np.broadcast_to(x[:, None], (300, 20, 40)), x[:, :1], x.T[::-1]):
        for axis in range(t.ndim):
            assert np.array_equal(sum_over(t, (axis,)), t.astype(np.int64).sum(axis))


@pytest.mark.parametrize("shape", [(50, 70), (1000, 3), (3, 1000), (300, 300), (20_000, 2), (64, 3, 500)], ids=str)
@pytest.mark.parametrize("offset", [0, 3])
def test_rounding_errors_are_at_most_four_times_those_of_pytorch(shape: tuple, offset: float) -> None:
    x = (np.random.default_rng(1).standard_normal(shape) + offset).astype(np.float32)
    for axis in range(x.ndim):
        exact = x.astype(np.float64).sum(axis)
        ours = np.abs(sum_over(x, (axis,)) - exact).max()
        theirs = np.abs(torch.from_numpy(x).sum(axis).numpy() - exact).max()
        assert ours <= 4 * max(theirs, np.abs(exact).max() * 2**-24)


def test_the_error_does_not_grow_with_the_number_of_rows():
    x = np.full((1 << 20, 2), 0.1, np.float32)
    exact = np.float64(np.float32(0.1)) * (1 << 20)
    assert abs(sum_over(x, (0,)) - exact).max() / exact < 3e-7
    assert abs(np.add.reduce(x, 0) - exact).max() / exact > 1e-4  # what this kernel is there for


def test_infinities_and_nan_pass_through():
    x = np.ones((5000, 3), np.float32)
    x[17, 0], x[40, 1], x[4999, 2] = np.inf, np.nan, -np.inf
    assert np.array_equal(sum_over(x, (0,)), [np.inf, np.nan, -np.inf], equal_nan=True)
    with np.errstate(invalid="ignore"):
        assert math.isnan(sum_over(x))


def test_other_types():
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, bool):
        x = np.ones((300, 7), dtype)
        assert sum_over(x).dtype == np.int64 and sum_over(x) == 2100
        assert np.array_equal(sum_over(x, (0,)), np.full(7, 300)) and sum_over(x, (0,)).dtype == np.int64
    half = np.full((4096, 2), 1.0, np.float16)
    assert sum_over(half, (0,)).dtype == np.float16
    assert sum_over(half, (0,)).tolist() == [4096, 4096]  # adding in float16 would stop at 2048
