from collections.abc import Callable

import numpy as np

import ndl
from tests.both import agree, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.joining")


def test_joined_memory_is_new():
    x = ndl.zeros(2)
    ndl.cat([x]).fill_(1.0)
    ndl.stack([x]).fill_(1.0)
    assert x.tolist() == [0.0, 0.0]


def test_types_are_promoted_and_gradients_return_to_theirs():
    def program(T):
        x, y = T.ones(2, requires_grad=True), T.ones(1, dtype=T.float64, requires_grad=True)
        z = T.cat([x, y, T.tensor([3])])
        (z * z).sum().backward()
        return str(z.dtype)[-7:], str(x.grad.dtype)[-7:], str(y.grad.dtype)[-7:], z.tolist()

    agree(program)


def test_blocks_of_nothing():
    agree(lambda T: tuple(T.block_diag().shape))


def test_empty_vectors_fit_along_any_dimension():
    same(lambda T, x, y: (T.cat([x], 5), T.cat([x, x], -3), T.cat([x, y, x], 1)), np.zeros(0), np.ones((2, 3)))


def test_numpy_s_functions_keep_the_graph():
    x = ndl.ones(2, 2, requires_grad=True)
    (np.concatenate([x, x], axis=1).sum() + np.stack([x, x], axis=2).sum()).backward()
    assert x.grad.tolist() == [[4.0, 4.0], [4.0, 4.0]]


@refusals(
    (lambda T, x, z: T.cat([]), "expected a non-empty list of Tensors"),
    (lambda T, x, z: T.cat(x), "must be tuple of Tensors, not Tensor"),
    (lambda T, x, z: T.cat([x, 3]), "expected Tensor as element 1 in argument 0, but got int"),
    (lambda T, x, z: T.cat([x, T.zeros(3)]), "Tensors must have same number of dimensions: got 2 and 1"),
    (lambda T, x, z: T.cat([x, T.zeros(2, 4)]), "Expected size 3 but got size 4 for tensor number 1 in the list."),
    (lambda T, x, z: T.cat([z, z]), "zero-dimensional tensor (at position 0) cannot be concatenated"),
    (lambda T, x, z: T.cat([x, x], 2), "Dimension out of range"),
    (lambda T, x, z: T.stack([]), "stack expects a non-empty TensorList"),
    (lambda T, x, z: T.stack([x, z]), "but got [2, 3] at entry 0 and [] at entry 1"),
    (lambda T, x, z: T.stack([x, x], 3), "expected to be in range of [-3, 2], but got 3"),
    (lambda T, x, z: T.hstack([]), "hstack expects a non-empty TensorList"),
    (lambda T, x, z: T.block_diag(x[None]), "Input 0 has 3 dimensions"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
