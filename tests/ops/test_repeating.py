from collections.abc import Callable

import numpy as np

import ndl
from tests.both import agree
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.repeating")


def test_gradients_of_copies_add_up():
    x = ndl.tensor([1.0, 2.0], requires_grad=True)
    (x.repeat(2, 2) * ndl.arange(8.0).reshape(2, 4)).sum().backward()
    assert x.grad.tolist() == [0 + 2 + 4 + 6, 1 + 3 + 5 + 7]


def test_repeats_are_new_memory():
    x = ndl.zeros(2)
    for y in (x.repeat(1), x.tile(1), x.repeat_interleave(1)):
        y.fill_(1.0)
    assert x.tolist() == [0.0, 0.0]


def test_a_grid_is_expanded_not_copied():
    x = ndl.arange(3.0)
    a, b = ndl.meshgrid(x, ndl.arange(2.0), indexing="ij")
    assert a.data_ptr() == x.data_ptr() and a.stride() == (1, 0) and b.stride() == (0, 1)


def test_the_order_of_xy():
    agree(lambda T: [g.tolist() for g in T.meshgrid(T.arange(2), T.arange(3), T.arange(2), indexing="xy")])


def test_counts_say_how_often():
    agree(lambda T: T.repeat_interleave(T.tensor([2, 0, 1])).tolist())
    agree(lambda T: T.repeat_interleave(T.arange(6).reshape(2, 3), T.tensor([3]), dim=0, output_size=6).tolist())
    assert ndl.repeat_interleave(np.arange(2), 2).tolist() == [0, 0, 1, 1]


@refusals(
    (lambda T, x, z: x.repeat(2), "can not be smaller than number of dimensions of tensor"),
    (lambda T, x, z: x.repeat(2, -1), "Trying to create tensor with negative dimension -3: [4, -3]"),
    (lambda T, x, z: T.repeat_interleave(x, T.tensor([1, 2]), 1), "repeats.size(0) = 2 and input.size(1) = 3"),
    (lambda T, x, z: T.repeat_interleave(x, T.tensor([1, 2]), 0, output_size=4), "allocated size does not match"),
    (lambda T, x, z: T.repeat_interleave(x, -1, 0), "Repeats must be non-negative"),
    (lambda T, x, z: T.repeat_interleave(x, T.tensor([1, -1]), 0), "repeats can not be negative"),
    (lambda T, x, z: T.repeat_interleave(x, T.tensor([1.0, 2.0]), 0), "int64 or int32"),
    (lambda T, x, z: T.meshgrid(T.arange(2), x[0], indexing="ij"), "all tensors to have the same dtype"),
    (lambda T, x, z: T.meshgrid(z, indexing="a"), 'indexing must be one of "xy" or "ij", but received: a'),
    (lambda T, x, z: T.meshgrid(x, indexing="ij"), "Expected 0D or 1D tensor in the tensor list"),
    (lambda T, x, z: T.meshgrid([], indexing="ij"), "meshgrid expects a non-empty TensorList"),
    (lambda T, x, z: T.cartesian_prod(x, x[0]), "Expect a 1D vector, but got shape [2, 3]"),
    (lambda T, x, z: T.combinations(x), "Expect a 1D vector, but got shape [2, 3]"),
    (lambda T, x, z: T.combinations(x[0], -1), "Expect a non-negative number, but got -1"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
