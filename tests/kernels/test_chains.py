"""Chains of passes: any cut, any memory order and any number of threads give the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndl.kernels import chains
from ndl.kernels.chains import run_chain
from ndl.kernels.threads import get_num_threads, set_num_threads, shares


def chain(c: Any, w: Any, x: Any, a: np.ndarray, b: np.ndarray, d: np.ndarray) -> None:
    """a ← a + c b² d;  b ← b − a."""
    y = np.multiply(np.multiply(b, b, w), d, x)
    np.add(a, np.multiply(y, c, x), a)
    np.subtract(b, a, b)


def expected(c: float, a: np.ndarray, b: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = a + b * b * d * a.dtype.type(c)
    return y, b - y


def laid_out(x: np.ndarray, how: str) -> np.ndarray:
    """The same values in another memory order."""
    if how == "reversed":
        return x.copy("F")
    if how == "gaps":
        wide = np.zeros((*x.shape, 2), x.dtype)
        wide[..., 0] = x
        return wide[..., 0]
    if how == "rotated" and x.ndim:
        return np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(-1, *range(x.ndim - 1))
    return x.copy()


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = get_num_threads()
    set_num_threads(request.param)
    yield request.param
    set_num_threads(before)


layouts = st.sampled_from(["plain", "reversed", "gaps", "rotated"])


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 6), max_size=3).map(tuple), layouts, layouts, layouts, st.sampled_from("fd")),
        max_size=4,
    ),
    st.integers(1, 7),
    st.integers(1, 60),
)
def test_every_cut_gives_the_same(specs: list, small: int, grain: int) -> None:
    """With the sizes that decide scaled down, so that small arrays take all paths."""
    rng = np.random.default_rng(0)
    work, wanted = [], []
    for i, (shape, *orders, code) in enumerate(specs):
        values = [rng.standard_normal(shape).astype(code) for _ in range(3)]
        wanted.append(expected(0.5 + i, *values))
        constant = np.array(0.5 + i, code)
        work.append((constant, tuple([laid_out(v, order) for v, order in zip(values, orders)])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "SMALL", 8 * small)
        patch.setattr(chains, "PIECE", 8 * 5)
        patch.setattr(chains, "GRAIN", grain)
        run_chain(chain, work)
    for (_, (a, b, _)), (want_a, want_b) in zip(work, wanted, strict=True):
        assert np.array_equal(a, want_a)
        assert np.array_equal(b, want_b)


def test_large_arrays_on_all_threads(threads: int) -> None:
    rng = np.random.default_rng(0)
    sizes = (200_001, 5, 377_777, 99_999, 40_000)
    arrays = [tuple([rng.standard_normal(n).astype(np.float32) for _ in range(3)]) for n in sizes]
    wanted = [expected(2.0, *values) for values in arrays]
    run_chain(chain, [(np.array(2.0, np.float32), values) for values in arrays])
    for (a, b, _), (want_a, want_b) in zip(arrays, wanted, strict=True):
        assert np.array_equal(a, want_a)
        assert np.array_equal(b, want_b)


def test_an_array_listed_twice_is_worked_through_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_share_first(n: int, body: Callable, *, grain: int) -> None:
        for start, stop in reversed(shares(n, 4)):
            body(start, stop)

    monkeypatch.setattr(chains, "parallel_for", last_share_first)
    rng = np.random.default_rng(0)
    a, b, d = values = tuple([rng.standard_normal(400_000) for _ in range(3)])
    want_a, want_b = expected(0.3, *expected(0.1, a, b, d), d)
    run_chain(chain, [(np.array(0.1), values), (np.array(0.3), values)])
    assert np.array_equal(a, want_a)
    assert np.array_equal(b, want_b)


def test_a_read_only_array_is_only_read() -> None:
    a, b = np.ones(9000), np.ones(9000)
    d = np.broadcast_to(np.array(3.0), (9000,))
    run_chain(chain, [(np.array(1.0), (a, b, d))])
    assert np.all(a == 4) and np.all(b == -3)


def test_overflow_passes_in_silence() -> None:
    for n in (2, 20_000):
        a, b, d = [np.full(n, 1e300) for _ in range(3)]
        run_chain(chain, [(np.array(1.0), (a, b, d))])
        assert np.all(np.isinf(a))


def test_nothing_to_do() -> None:
    run_chain(chain, [])
