"""One ufunc over large arrays on threads, ReLU against a row of zeros, and its gradient by bits."""

import numpy as np
import pytest

from ndl.kernels import pointwise as kernel
from ndl.kernels import workspace
from ndl.kernels.pointwise import _SMALL, keep_nonzero, pointwise, relu

WIDTH = _SMALL


@pytest.fixture(params=[1, 10**9], ids=["threads", "no threads"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LARGE", request.param)


def values(*shape: int, dtype: type = np.float32) -> np.ndarray:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    x.flat[::7] = np.nan
    x.flat[::11], x.flat[::13], x.flat[::17] = np.inf, -np.inf, 0
    return x


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("shape", [(5,), (WIDTH,), (3, WIDTH + 5), (2 * WIDTH - 1,), (7, 11, 300)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_is_the_maximum_with_zero(shape: tuple, dtype: type) -> None:
    x = values(*shape, dtype=dtype)
    for view in (x, x.T, x[..., ::2]):
        y = relu(view)
        np.testing.assert_array_equal(y, np.maximum(view, 0))
        assert y.dtype == dtype and y.strides == np.empty_like(view).strides
        assert not np.shares_memory(y, x)
    mine = x.copy()
    assert relu(mine, out=mine) is mine
    np.testing.assert_array_equal(mine, np.maximum(x, 0))


@pytest.mark.usefixtures("large")
def test_keep_nonzero_is_exact_and_may_write_to_dy() -> None:
    y = np.maximum(values(5, 4001), 0)
    dy = values(5, 4001)[::-1].copy()
    wanted = np.where(y != 0, dy, 0)
    np.testing.assert_array_equal(keep_nonzero(dy, y), wanted)
    np.testing.assert_array_equal(keep_nonzero(dy.T, y.T), wanted.T)
    np.testing.assert_array_equal(keep_nonzero(dy, y, out=dy), wanted)
    np.testing.assert_array_equal(dy, wanted)


@pytest.mark.usefixtures("large")
def test_pointwise_is_the_ufunc() -> None:
    a, b = (np.random.default_rng(seed).standard_normal((6, 5001)).astype(np.float32) for seed in (0, 1))
    for x, y in ((a, b), (a.T, b.T), (a, b[:1]), (a, 2.5), (a, b[:, ::-1])):
        np.testing.assert_array_equal(pointwise(np.add, x, y), np.add(x, y))
    out = np.empty((5001, 6), np.float32).T
    np.testing.assert_array_equal(pointwise(np.multiply, a, b, out=out), a * b)


def test_freed_memory_is_kept_unless_the_environment_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDL_KEEP_FREED_MEMORY", "0")
    assert workspace.keep_freed_memory() is False
    monkeypatch.delenv("NDL_KEEP_FREED_MEMORY")
    assert workspace.keep_freed_memory() in (True, False)  # False where the C library is not glibc
