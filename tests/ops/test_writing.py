from collections.abc import Callable

import numpy as np

import ndl
from tests.both import agree, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.writing")


def test_each_returns_the_tensor_itself():
    x = ndl.zeros(2)
    assert x.fill_(1) is x and x.zero_() is x and x.copy_(ndl.ones(2)) is x


def test_values_take_the_tensor_s_type():
    agree(lambda T: T.zeros(2, dtype=T.int32).fill_(2.5).tolist())
    agree(lambda T: T.zeros(2, dtype=T.int32).copy_(T.tensor([1.5, -2.5])).tolist())
    agree(lambda T: T.zeros(2, dtype=T.bool).copy_(T.tensor([0.0, -2.5])).tolist())
    x = ndl.zeros(2, dtype=ndl.int64).copy_(ndl.ones(2, requires_grad=True))
    assert not x.requires_grad


def test_gradients_return_in_their_own_type():
    v = ndl.ones(2, dtype=ndl.float64, requires_grad=True)
    ndl.zeros(3, 2).copy_(v).sum().backward()
    assert v.grad.dtype == ndl.float64 and v.grad.tolist() == [3.0, 3.0]


def test_what_was_there_before_gets_nothing():
    def program(T, x, v):
        y = x * 2
        y[0].copy_(v)
        y[1].zero_()
        return y * x

    same(program, np.ones((3, 2)), np.arange(2.0))
    same(lambda T, x, v: ((x * 1).zero_(), (v * 1).fill_(2.0)), np.ones((3, 2)), np.arange(2.0))  # zeros, not None


def test_a_copy_from_itself():
    same(lambda T, x: (x * 2).copy_((x * 3)[0]) * x, np.arange(6.0).reshape(2, 3))
    x = ndl.arange(6.0)
    x[1:].copy_(x[:-1])
    assert x.tolist() == [0, 0, 1, 2, 3, 4]


def test_parts_of_a_copy():
    x = ndl.zeros(2, 2)
    assert x.select_scatter(ndl.ones(2), 0, 1).tolist() == [[0, 0], [1, 1]] and x.sum().item() == 0.0
    assert type(ndl.slice_scatter(np.zeros(3), np.ones(1), 0, 1, 2)) is np.ndarray


@refusals(
    (lambda T, x, z: x.fill_(T.zeros(2)), "fill_ only supports 0-dimension value tensor"),
    (lambda T, x, z: x.fill_("a"), "not str"),
    (lambda T, x, z: x.copy_(T.zeros(2)), "must match the size of tensor"),
    (lambda T, x, z: x.copy_(x[None]), "output with shape [2, 3] doesn't match the broadcast shape [1, 2, 3]"),
    (lambda T, x, z: x.copy_([1]), "must be Tensor, not list"),
    (lambda T, x, z: T.ones(2, requires_grad=True).zero_(), "leaf Variable that requires grad"),
    (lambda T, x, z: T.select_scatter(x, T.zeros(2), 0, 1), "expected src to have a size equal to the slice of self"),
    (lambda T, x, z: T.slice_scatter(x, x, 0, 0, 2, 0), "step must be"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
