from collections.abc import Callable

import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.splitting")


def test_parts_are_views():
    x = ndl.arange(12.0).reshape(3, 4)
    for parts in (x.split(3, 1), x.chunk(2), x.unbind(), x.tensor_split((1,), 1), x.hsplit(2), x.split([1, 2])):
        assert parts[0].data_ptr() == x.data_ptr()
    x.unbind(1)[2].fill_(-1.0)
    assert x[:, 2].tolist() == [-1.0] * 3


def test_writing_to_one_of_several_views_is_refused():
    for f in (lambda x: x.chunk(2)[0], lambda x: x.split(1)[0], lambda x: x.unbind()[0]):
        message = refused(lambda T, x, f=f: f(x * 2).mul_(3), np.ones((2, 3)))
        assert "multiple views" in message


def test_parts_used_in_part():
    same(lambda T, x: (x.chunk(3)[1] * 2, x.split(2)[0].exp()), np.ones((4, 2)))


def test_iteration():
    rows = list(ndl.arange(6.0).reshape(3, 2))
    assert [r.tolist() for r in rows] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    first, second = ndl.tensor([1.0, 2.0])
    assert (first.item(), second.item()) == (1.0, 2.0)
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(ndl.tensor(1.0))


def test_parts_of_nothing():
    agree(lambda T: [tuple(c.shape) for c in T.zeros(0, 3).chunk(3)])
    agree(lambda T: [tuple(c.shape) for c in T.zeros(0, 3).split(0)])
    agree(lambda T: [tuple(c.shape) for c in T.zeros(2, 0).unbind(1)])


@refusals(
    (lambda T, x, z: T.split(x, 0), "split_size can only be 0 if dimension size is 0"),
    (lambda T, x, z: T.split(x, -1), "split expects split_size be non-negative, but got split_size=-1"),
    (lambda T, x, z: T.split(x, [1, 1], 1), "expects split_sizes to sum exactly to 3"),
    (lambda T, x, z: T.split(x, [-1, 4], 1), "have only non-negative entries"),
    (lambda T, x, z: T.split(z, 1), "split expects at least a 1-dimensional tensor"),
    (lambda T, x, z: T.chunk(x, 0), "chunk expects `chunks` to be greater than 0, got: 0"),
    (lambda T, x, z: T.tensor_split(x, 0, 1), "number of sections must be larger than 0, got 0"),
    (lambda T, x, z: T.tensor_split(z, 1), "expected at least a 1-dimensional tensor"),
    (lambda T, x, z: T.unbind(z), "Dimension specified as 0 but tensor has no dimensions"),
    (lambda T, x, z: T.hsplit(x, 2), "is not divisible by the split_size 2!"),
    (lambda T, x, z: T.vsplit(x[0], 1), "requires a tensor with at least 2 dimension"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
