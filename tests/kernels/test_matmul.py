"""Matrix products on threads: the cut changes nothing but the order of sums."""

from collections.abc import Iterator

import numpy as np
import pytest

from ndl.kernels import matmul as kernel
from ndl.kernels import threads


@pytest.fixture(autouse=True)
def two_threads_for_everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    monkeypatch.setattr(kernel, "WORTH_A_THREAD", 1)
    yield
    threads.set_num_threads(before)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@pytest.mark.parametrize(("n", "k", "m"), [(7, 5, 3), (3, 5, 8), (1, 4, 9), (600, 2, 3), (5, 1, 5)])
@pytest.mark.parametrize("biased", [False, True])
def test_rows_or_columns(n: int, k: int, m: int, biased: bool) -> None:
    X, Y, b = normal(n, k), normal(k, m), normal(m)
    wanted = np.einsum("nk,km->nm", X, Y) + (b if biased else 0)
    np.testing.assert_allclose(kernel.matmul(X, Y, b if biased else None), wanted, rtol=1e-12, atol=1e-12)
    transposed = kernel.matmul(np.asfortranarray(X), Y.T.copy().T, b if biased else None)
    np.testing.assert_allclose(transposed, wanted, rtol=1e-12, atol=1e-12)


def test_stacks() -> None:
    X, Y = normal(3, 1, 4, 5), normal(2, 5, 6)
    np.testing.assert_allclose(kernel.matmul(X, Y), np.einsum("abnk,bkm->abnm", np.repeat(X, 2, 1), Y), rtol=1e-12)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_two_products_side_by_side(number: int) -> None:
    threads.set_num_threads(number)
    dY, W, X = normal(9, 4), normal(4, 6), normal(9, 6)
    dX, dW = kernel.side_by_side(dY, W, dY.T, X)
    np.testing.assert_allclose(dX, dY @ W, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dW, dY.T @ X, rtol=1e-12, atol=1e-12)
