from collections.abc import Callable

import numpy as np
import pytest

import ndl
from tests.both import same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.windows")


def test_windows_are_views():
    x = ndl.arange(6.0)
    y = x.unfold(0, 3, 1)
    x[2] = 9.0
    assert y.tolist() == [[0, 1, 9], [1, 9, 3], [9, 3, 4], [3, 4, 5]]


def test_an_element_in_several_windows_gets_the_sum():
    x = ndl.ones(5, requires_grad=True)
    x.unfold(0, 3, 1).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0, 2.0, 1.0]


def test_only_windows_that_do_not_overlap_can_be_written():
    x = ndl.zeros(6)
    x.unfold(0, 2, 3).fill_(1.0)
    assert x.tolist() == [1, 1, 0, 1, 1, 0]
    with pytest.raises(RuntimeError, match="single memory location"):
        x.unfold(0, 3, 2).fill_(1.0)


def test_windows_of_no_elements():
    same(lambda T, x: (x.unfold(1, 0, 1), T.ones(2, dtype=x.dtype) * x.sum()), np.ones((2, 3)))


def test_strides_that_read_an_element_often():
    same(lambda T, x: x.as_strided((3, 3), (1, 1)) ** 2, np.arange(1.0, 6.0))


def test_only_memory_of_its_own_can_be_strided():
    with pytest.raises(RuntimeError, match="contiguous tensor"):
        ndl.zeros(2, 3).T.as_strided((2,), (1,))
    with pytest.raises(RuntimeError, match="contiguous tensor"):
        ndl.zeros(4, 3)[1].as_strided((2,), (1,))


@refusals(
    (lambda T, x, z: x.unfold(1, 4, 1), "maximum size for tensor at dimension 1 is 3 but size is 4"),
    (lambda T, x, z: x.unfold(1, 2, 0), "step is 0 but must be > 0"),
    (lambda T, x, z: x.unfold(1, -1, 1), "size is -1 but must be >= 0"),
    (lambda T, x, z: z.unfold(0, 2, 1), "maximum size for tensor at dimension 0 is 1 but size is 2"),
    (lambda T, x, z: x.as_strided((2, 2), (3, 4)), "requiring a storage size of 32 are out of bounds"),
    (lambda T, x, z: x.as_strided((2, 2), (-1, 1)), "Negative strides are not supported"),
    (lambda T, x, z: x.as_strided((2, 2), (1,)), "mismatch in length of strides and shape"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
