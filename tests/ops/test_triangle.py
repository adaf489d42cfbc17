from collections.abc import Callable

import numpy as np

import ndl
from tests.both import agree, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.triangle")


def test_what_is_cut_off_is_zero_even_if_it_was_infinite():
    x = np.full((3, 3), np.inf)
    same(lambda T, x: (T.tril(x), T.triu(x, 1), T.tril(x * 0)), x)


def test_the_diagonal_of_a_matrix_is_a_copy():
    x = ndl.zeros(2, 2)
    x.diag().fill_(1.0)
    assert x.sum().item() == 0.0


def test_stacks_of_matrices_and_types():
    agree(lambda T: T.ones(2, 2, 3, dtype=T.bool).tril().tolist())
    agree(lambda T: str(T.ones(2, 2, dtype=T.int32).trace().dtype)[-5:])
    agree(lambda T: str(T.tril_indices(2, 2, dtype=T.int32).dtype)[-5:])


def test_far_diagonals():
    agree(lambda T: [T.ones(2, 3).tril(k).tolist() for k in range(-4, 5)])
    agree(lambda T: [T.ones(2, 3).triu(k).tolist() for k in range(-4, 5)])
    agree(lambda T: [T.ones(2, 3).diag(k).tolist() for k in range(-4, 5)])


@refusals(
    (lambda T, x, z: T.tril(x[0]), "tril: input tensor must have at least 2 dimensions"),
    (lambda T, x, z: T.diag(z), "diag(): Supports 1D or 2D tensors. Got 0D"),
    (lambda T, x, z: T.diag_embed(x, 1, 0, 0), "diagonal dimensions cannot be identical 0, 0"),
    (lambda T, x, z: T.diag_embed(z), "Dimension out of range"),
    (lambda T, x, z: T.trace(z), "trace: expected a matrix, but got tensor with dim 0"),
    (lambda T, x, z: T.trace(x > 2), "trace is not defined for bool"),
    (lambda T, x, z: T.tril_indices(-2, 3), "row must be non-negative"),
    (lambda T, x, z: T.tril_indices(2, 3, dtype=T.float32), "int64 or int32"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
