"""Products cut into short ones: the same numbers, with and without a rest, over views, and with nothing to cut."""

from collections.abc import Iterator

import numpy as np
import pytest

from ndl.kernels import short_products
from ndl.kernels.short_products import cut, product, sum_of_products


@pytest.fixture(params=[1, 12 * 50, 12 * 64, 10**6])
def short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Multiplications of a piece: too few to cut, a divisor of the rows, one that leaves a rest, more than there are."""
    monkeypatch.setattr(short_products, "SHORT", request.param)
    cut.cache_clear()
    yield request.param
    cut.cache_clear()


@pytest.mark.parametrize("rows", [1, 50, 150, 173])
def test_product_and_sum(short: int, rows: int) -> None:
    rng = np.random.default_rng(rows)
    X, F, D = rng.standard_normal((3, rows, 4)), rng.standard_normal((3, 4, 3)), rng.standard_normal((3, rows, 3))
    out = np.empty((3, 3, rows)).transpose(0, 2, 1)
    product(X, F, out)
    np.testing.assert_allclose(out, np.einsum("brk,bko->bro", X, F), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sum_of_products(X, D), np.einsum("brk,bro->bko", X, D), rtol=1e-12, atol=1e-12)


def test_the_cut_leaves_no_rest_where_a_size_not_much_smaller_divides() -> None:
    cut.cache_clear()
    assert cut(2048, 72 * 16) == (4, 512)  # at most 868 rows of 72 x 16 are short
    assert cut(1009, 72 * 16) == (1, 868)  # a prime: 868 and a rest of 141
    assert cut(500, 72 * 16) == (0, 0) and cut(10**6, 256 * 256) == (0, 0)
