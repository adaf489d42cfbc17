from collections.abc import Callable

import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.gathering")


def test_an_element_read_often_gets_the_sum():
    x = ndl.ones(2, 3, requires_grad=True)
    x.gather(1, ndl.tensor([[0, 0, 2], [1, 1, 1]])).backward(ndl.arange(6.0).reshape(2, 3))
    assert x.grad.tolist() == [[1.0, 0.0, 2.0], [0.0, 12.0, 0.0]]


def test_one_number_of_each_row_as_a_loss_picks_it():
    targets = np.array([[2], [0], [1], [2]])
    same(lambda T, x, i: -x.gather(1, i).mean(), np.arange(12.0).reshape(4, 3) ** 0.5, targets)


def test_nothing_gathered():
    agree(lambda T: tuple(T.gather(T.zeros(2, 3), 1, T.zeros(0, dtype=T.int64)).shape))
    agree(lambda T: tuple(T.gather(T.zeros(2, 3), 1, T.zeros(2, 0, dtype=T.int64)).shape))
    agree(lambda T: tuple(T.index_select(T.zeros(2, 3), 1, T.zeros(0, dtype=T.int64)).shape))


def test_an_index_changed_after_its_use_is_noticed():
    def program(T, x):
        i = T.tensor([[0, 1]])
        y = x.gather(0, i)
        i[0] = 1
        return y

    refused(program, np.ones((2, 2)))


def test_order_of_a_sort_applied():
    def program(T, x):
        return T.take_along_dim(x, x.argsort(dim=1), dim=1), x.take_along_dim(x.argmax(1, keepdim=True), 1)

    same(program, np.random.default_rng(0).standard_normal((3, 4)))


def test_plain_arrays_stay_arrays():
    x, i = np.arange(6.0).reshape(2, 3), np.array([[0, 2]])
    for y in (ndl.gather(x, 1, i), ndl.index_select(x, 0, i[0][:1]), ndl.take(x, i), ndl.take_along_dim(x, i, 1)):
        assert type(y) is np.ndarray


@refusals(
    (lambda T, x, z: T.gather(x, 1, T.tensor([[0, 5, 1]])), "index 5 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: T.gather(x, 1, T.tensor([[0, -1]])), "index -1 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: T.gather(x, 1, T.tensor([0, 1])), "Index tensor must have the same number of dimensions as input"),
    (lambda T, x, z: T.gather(x, 1, T.zeros(1, 3)), "Expected dtype int32/int64 for index"),
    (lambda T, x, z: T.gather(x, 1, T.zeros(3, 1, dtype=T.int64)), "apart from dimension 1"),
    (lambda T, x, z: T.gather(x, 2, T.tensor([[0]])), "Dimension out of range"),
    (lambda T, x, z: x.index_select(1, T.tensor([0, 5])), "index 5 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.index_select(1, T.tensor([0, -1])), "index -1 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.index_select(1, T.tensor([[1]])), "Index is supposed to be a vector"),
    (lambda T, x, z: x.index_select(1, T.tensor([1.0])), "Expected dtype int32 or int64 for index"),
    (lambda T, x, z: z.index_select(0, T.tensor([0, 0])), "Index to scalar can have only 1 value, got 2 value(s)"),
    (lambda T, x, z: x.take(T.tensor([[0, 6]])), "tried to access index 6 on a tensor of 6 elements."),
    (lambda T, x, z: x.take(T.tensor([0], dtype=T.int32)), "Expected a long tensor for index"),
    (lambda T, x, z: T.zeros(0).take(T.tensor([0])), "tried to take from an empty tensor"),
    (lambda T, x, z: T.take_along_dim(x, T.tensor([0]), 1), "should have the same number of dimensions"),
    (lambda T, x, z: T.take_along_dim(x, T.tensor([[1, 0]]), 0), "must match the size of tensor b (2)"),
    (lambda T, x, z: T.take_along_dim(x, T.tensor([6])), "index 6 is out of bounds for dimension 0 with size 6"),
    (lambda T, x, z: T.take_along_dim(x, T.tensor([-1])), "index -1 is out of bounds for dimension 0 with size 6"),
    (
        lambda T, x, z: T.take_along_dim(x[:0], T.tensor([[1]]), 0),
        "index 1 is out of bounds for dimension 0 with size 0",
    ),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)


def test_places_outside_are_refused_where_pytorch_takes_them_modulo_the_size():
    with pytest.raises(RuntimeError, match="index 5 is out of bounds for dimension 0 with size 2"):
        ndl.take_along_dim(ndl.zeros(2, 3), ndl.tensor([[5]]), 0)
