"""The shuffle without a loop against the loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndl.kernels.shuffle import fisher_yates


def by_loop(n: int, offset: list[int]) -> list[int]:
    r = list(range(n))
    for i, o in enumerate(offset):
        r[i], r[i + o] = r[i + o], r[i]
    return r


@given(st.data())
def test_equals_the_loop(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 12))
    offset = [data.draw(st.integers(0, n - 1 - i)) for i in range(max(n - 1, 0))]
    assert fisher_yates(n, np.array(offset, np.int64)).tolist() == by_loop(n, offset)


@pytest.mark.parametrize("n", [1000, 2**16 - 1, 2**16, 2**16 + 1, 150_000])
def test_equals_the_loop_beyond_16_bits(n: int) -> None:
    offset = np.random.default_rng(n).integers(0, np.arange(n, 1, -1))
    assert fisher_yates(n, offset).tolist() == by_loop(n, offset.tolist())


@pytest.mark.parametrize("n", [2, 3, 1000])
def test_the_longest_chains(n: int) -> None:
    # Every step swaps with its neighbour: 0 is carried through all places to the last.
    assert fisher_yates(n, np.ones(n - 1, np.int64)).tolist() == [*range(1, n), 0]
    # Every step swaps with the last place: all steps have one target.
    assert fisher_yates(n, np.arange(n - 1, 0, -1)).tolist() == [n - 1, *range(n - 1)]
    assert fisher_yates(n, np.zeros(n - 1, np.int64)).tolist() == list(range(n))
