import numpy as np
import pytest

from ndl.kernels.add_rows import add_rows

# (places, columns, rows to add): each way through the kernel
SIZES = [
    (5, 3, 4),
    (10, 1, 5000),
    (5, 8, 3000),
    (50, 40, 900),
    (4000, 1, 20),
    (4000, 30, 20),
    (70_000, 12, 2000),
    (3, 50, 400),
]


@pytest.mark.parametrize("places, columns, n", SIZES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_equals_one_by_one(places: int, columns: int, n: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    index = np.minimum(rng.geometric(0.1, n) - 1, places - 1)  # a few places often, most rarely
    index[::2] = (index[::2] + 2**16) % places  # that differ by what 16 bits cannot tell, if there are so many
    rows, out = (rng.integers(-99, 99, (m, columns)).astype(dtype) for m in (n, places))
    expected = out.copy()
    for i, row in zip(index, rows):
        expected[i] += row
    add_rows(out, index, rows)
    assert np.array_equal(out, expected)  # whole numbers: equal in any order of adding


def test_an_index_that_only_grows():
    out = np.zeros((9000, 2))
    add_rows(out, np.arange(0, 9000, 2), np.ones((4500, 2)))
    assert out[::2].all() and not out[1::2].any()


def test_large_integers_are_not_rounded():
    out = np.zeros((2, 1), np.int64)
    add_rows(out, np.array([0, 0]), np.array([[2**53], [1]]))
    assert out[0, 0] == 2**53 + 1


@pytest.mark.parametrize("shape", [(0, 3), (4, 0)])
def test_nothing_to_add(shape: tuple[int, int]) -> None:
    out = np.ones((2, shape[1]))
    add_rows(out, np.zeros(shape[0], np.int64), np.ones(shape))
    assert (out == 1).all()


def test_nan_and_inf_stay_where_they_belong():
    out = np.zeros((3, 20))
    rows = np.ones((40, 20))
    rows[0, 0], rows[1, 1] = np.nan, np.inf
    add_rows(out, np.array([0, 1] * 20), rows)
    assert np.isnan(out[0, 0]) and np.isinf(out[1, 1]) and np.isfinite(np.delete(out.ravel(), [0, 21])).all()


def test_float32_adds_as_precisely_as_one_by_one():
    rng = np.random.default_rng(1)
    index, rows = rng.integers(0, 7, 4000), rng.standard_normal((4000, 30)).astype(np.float32)
    out, one_by_one, truth = np.zeros((7, 30), np.float32), np.zeros((7, 30), np.float32), np.zeros((7, 30))
    add_rows(out, index, rows)
    np.add.at(one_by_one, index, rows)
    np.add.at(truth, index, rows.astype(np.float64))
    assert np.abs(out - truth).max() <= 2 * np.abs(one_by_one - truth).max()
