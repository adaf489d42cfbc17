"""The protocol for ``ndl.nn.cross_entropy``, and what is left of it without classes."""

import numpy as np
import pytest

from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.cross_entropy")


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3, 0), (0,)])
def test_no_classes_and_every_target_ignored(shape, weighted, reduction):
    def program(T, x):
        target = T.full(shape[:-1], 7, dtype=T.int64)
        weight = T.ones(0, dtype=T.float64) if weighted else None
        return T.nn.functional.cross_entropy(x, target, weight, ignore_index=7, reduction=reduction)

    same(program, np.zeros(shape))


def test_no_classes_and_a_target_among_them():
    def program(T, x):
        return T.nn.functional.cross_entropy(x, T.zeros(3, dtype=T.int64))

    assert "Target 0 is out of bounds" in refused(program, np.zeros((3, 0)), error=IndexError)
