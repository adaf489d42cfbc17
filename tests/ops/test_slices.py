from collections.abc import Callable

import numpy as np

import ndl
from tests.both import same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.slices")


def test_all_are_views():
    x = ndl.zeros(3, 4)
    x.narrow(1, 1, 2)[0, 0] = 1.0
    x.select(0, 2)[3] = 2.0
    x.diagonal(1).fill_(3.0)
    assert x.tolist() == [[0, 3, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]]
    assert x.narrow(0, 1, 1).data_ptr() == x[1].data_ptr()


def test_a_diagonal_of_expanded_memory_stays_read_only():
    assert not ndl.zeros(1, 3).expand(3, 3).diagonal()._array.flags.writeable


def test_start_may_be_a_tensor():
    same(lambda T, x: x.narrow(0, T.tensor(1), 2), np.ones((4, 2)))


def test_overlapping_parts_add_up():
    x = ndl.ones(4, requires_grad=True)
    (x.narrow(0, 0, 3) + x.narrow(0, 1, 3)).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 2.0, 1.0]


@refusals(
    (lambda T, x, z: x.narrow(0, 1, 2), "start (1) + length (2) exceeds dimension size (2)."),
    (lambda T, x, z: x.narrow(0, 3, 0), "start out of range (expected to be in range of [-2, 2], but got 3)"),
    (lambda T, x, z: x.narrow(0, 0, -1), "length must be non-negative"),
    (lambda T, x, z: z.narrow(0, 0, 1), "narrow() cannot be applied to a 0-dim tensor."),
    (lambda T, x, z: x.select(0, 2), "index 2 out of range for tensor of size [2, 3] at dimension 0"),
    (lambda T, x, z: z.select(0, 0), "select() cannot be applied to a 0-dim tensor."),
    (lambda T, x, z: x.diagonal(0, 0, 0), "diagonal dimensions cannot be identical 0, 0"),
    (lambda T, x, z: x[0].diagonal(), "Dimension out of range"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
