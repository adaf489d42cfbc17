from collections.abc import Callable

import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.masking")


def test_what_is_masked_gets_zero_even_from_an_infinite_gradient():
    def program(T, x):
        y = x.masked_fill(T.tensor([True, False, False]), 0.0)
        return (y / T.tensor([0.0, 1.0, 2.0], dtype=x.dtype)).nan_to_num(0.0, 0.0, 0.0)

    same(lambda T, x: x.masked_fill(T.tensor([True, False]), float("nan")), np.ones(2))
    x = ndl.ones(3, requires_grad=True)
    y = x.masked_fill(ndl.tensor([True, False, False]), 0.0)
    y.backward(ndl.tensor([float("inf"), 1.0, 2.0]))
    assert x.grad.tolist() == [0.0, 1.0, 2.0]


def test_integers_cut_the_value():
    agree(lambda T: T.zeros(3, dtype=T.int32).masked_fill(T.tensor([True, False, True]), 9.5).tolist())
    agree(lambda T: str(T.zeros(3).masked_fill(T.tensor([True, False, True]), 9).dtype)[-7:])
    x = ndl.zeros(2, dtype=ndl.int64)
    assert not x.masked_fill(ndl.tensor([True, False]), ndl.tensor(1.5, requires_grad=True)).requires_grad


def test_a_mask_changed_after_its_use_is_noticed():
    def program(T, x):
        m = T.tensor([True, False])
        y = x.masked_fill(m, 0.0)
        m[1] = True
        return y

    refused(program, np.ones(2))


def test_attention_s_causal_mask():
    def program(T, x):
        m = T.triu(T.ones(3, 3, dtype=T.bool), 1)
        return x.masked_fill(m, float("-inf")).exp()

    same(program, np.arange(18.0).reshape(2, 3, 3) / 9)


def test_indices_of_what_is_not_zero():
    x = ndl.tensor([[0.0, 2.0], [3.0, 0.0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]] and x.nonzero().dtype == ndl.int64
    assert [i.tolist() for i in ndl.nonzero(x, as_tuple=True)] == [[0, 1], [1, 0]]
    agree(lambda T: (tuple(T.tensor(3.0).nonzero().shape), [i.tolist() for i in T.tensor(3.0).nonzero(as_tuple=True)]))
    assert not x.requires_grad_().nonzero().requires_grad


def test_plain_arrays_stay_arrays():
    x, m = np.ones((2, 2)), np.eye(2, dtype=bool)
    for y in (ndl.masked_fill(x, m, 5.0), ndl.masked_select(x, m), ndl.masked_scatter(x, m, np.zeros(2))):
        assert type(y) is np.ndarray
    assert x.sum() == 4.0


@refusals(
    (lambda T, x, z: x.masked_fill(x > 2, T.tensor([9.0])), "only supports a 0-dimensional value tensor"),
    (lambda T, x, z: x.masked_fill(T.tensor([0, 1, 1]), 9), "only supports boolean masks, but got mask with dtype"),
    (lambda T, x, z: x.masked_fill(T.tensor([True, False]), 9), "must match the size of tensor"),
    (lambda T, x, z: x[0].clone().masked_fill_(x > 2, 9), "output with shape [3] doesn't match the broadcast shape"),
    (lambda T, x, z: x.masked_fill(x > 2, 1j), "cannot be converted to type"),
    (lambda T, x, z: x.masked_select(T.tensor([1, 0, 1])), "mask"),
    (lambda T, x, z: x.masked_scatter(x > 2, T.zeros(2)), "Number of elements of source < number of ones in mask"),
    (lambda T, x, z: x.masked_scatter(x > 2, T.tensor([1, 2, 3])), "expected self and source to have same dtypes"),
    (lambda T, x, z: x.expand(2, 2, 3).masked_fill_(x > 2, 1.0) if T is ndl else T.zeros(-1), ""),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)


def test_a_leaf_cannot_be_filled():
    with pytest.raises(RuntimeError, match="leaf Variable"):
        ndl.ones(2, requires_grad=True).masked_fill_(ndl.tensor([True, False]), 0.0)
