"""What all special functions promise alike: dtypes, shapes, memory order, ``out=``, threads, refusals."""

import numpy as np
import pytest

from ndl.kernels import special
from ndl.kernels.elementwise import GRAIN, PIECE_BYTES
from ndl.kernels.threads import get_num_threads, set_num_threads

FUNCTIONS = [getattr(special, name) for name in special.__all__]
everywhere = pytest.mark.parametrize("function", FUNCTIONS, ids=special.__all__)


def inside(shape: tuple[int, ...], dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Numbers in (0, 1), where every function has a value."""
    return (0.001 + 0.998 * np.random.default_rng(seed).random(shape)).astype(dtype)


@everywhere
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (3, 4, 5)])
def test_shapes(function, shape: tuple[int, ...]) -> None:
    x = inside(shape)
    y = function(x)
    assert type(y) is np.ndarray
    assert y.shape == shape
    assert y.dtype == x.dtype
    one_by_one = [function(np.array([v]))[0] for v in x.ravel()]
    assert np.allclose(y.ravel(), one_by_one, rtol=1e-15, atol=0)


@everywhere
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_smaller_dtypes(function, dtype: type) -> None:
    x = inside((1000,), dtype)
    y = function(x)
    assert y.dtype == dtype
    expected = function(x.astype(np.float64))
    # Two functions are 0 at an end of the interval; a rounded exponential or logarithm is right to 3 units.
    assert (np.abs(y - expected) <= 3 * np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)).all()


@everywhere
def test_memory_order_is_kept_and_holes_are_skipped(function) -> None:
    x = inside((4, 5, 6, 7)).transpose(0, 3, 1, 2)
    y = function(x)
    assert y.strides == x.strides
    assert np.array_equal(y, function(x.copy()))
    wide = inside((300, 100))
    part = wide[::3, 1::2]
    assert np.array_equal(function(part), function(part.copy()))
    assert np.array_equal(function(wide[::-1, ::-1]), function(wide)[::-1, ::-1])


@everywhere
@pytest.mark.parametrize("n", [5, PIECE_BYTES // 8 + 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_be_the_argument(function, n: int, dtype: type) -> None:
    x = inside((n,), dtype)
    expected = function(x)
    before = x.copy()
    out = np.empty_like(x)
    assert function(x, out) is out
    assert np.array_equal(out, expected)
    assert np.array_equal(x, before), "the argument has changed"
    assert function(x, out=x) is x
    assert np.array_equal(x, expected)
    strided = np.zeros((n, 2), dtype)
    function(before, strided[:, 1])
    assert np.array_equal(strided[:, 1], expected)
    assert not strided[:, 0].any()


@everywhere
def test_the_number_of_threads_does_not_matter(function) -> None:
    x, before = inside((2 * GRAIN + 77,), np.float32), get_num_threads()
    try:
        set_num_threads(1)
        expected = function(x)
        set_num_threads(3)
        assert np.array_equal(function(x), expected)
    finally:
        set_num_threads(before)


@everywhere
def test_refusals(function) -> None:
    with pytest.raises(TypeError, match="got int64"):
        function(np.arange(3))
    with pytest.raises(ValueError, match=r"has \(4,\) float64"):
        function(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match=r"has \(3,\) float32"):
        function(np.zeros(3), np.zeros(3, np.float32))
