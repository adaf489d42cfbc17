from collections.abc import Callable

import numpy as np
import pytest

import ndl
from tests.both import agree, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.axes")

X = np.arange(24.0).reshape(2, 3, 4)


def test_all_are_views():
    x = ndl.from_numpy(X.copy())
    m = x[0]
    for y in (x.transpose(0, 2), x.permute(2, 0, 1), x.movedim(0, -1), x.mT, x.swapaxes(1, 2), m.t(), m.T, m.H):
        assert y.data_ptr() == x.data_ptr()
    x[0].T[2, 1] = 99.0
    assert x[0, 1, 2].item() == 99.0


def test_a_view_written_to_keeps_its_gradient():
    def program(T, x, v):
        y = x * 2
        y.T[0].mul_(v)
        y.permute(1, 0)[2] += v
        return y**2

    same(program, np.ones((3, 4)), np.arange(3.0))


def test_strides_as_pytorch_s():
    agree(lambda T: T.zeros(2, 3, 4).permute(2, 0, 1).stride())
    agree(lambda T: T.zeros(2, 3, 4).mT.stride())


def test_reversed_dimensions_of_three():
    assert tuple(ndl.zeros(2, 3, 4).T.shape) == (4, 3, 2)  # PyTorch does so, too, with a warning


def test_the_tensor_itself_turned():
    def program(T):
        x = T.arange(6.0).reshape(2, 3)
        row = x[1]
        x.t_()[0, 1] = 7.0
        return x.tolist(), row.tolist(), tuple(x.transpose_(0, 1).shape), tuple(x.swapaxes_(0, 1).shape)

    agree(program)
    same(lambda T, x: (x * 1)[None][0].t_() * T.ones(3, 2, dtype=x.dtype), np.ones((2, 3)))
    same(lambda T, x: (x * 1).t_() * T.arange(6.0, dtype=x.dtype).reshape(3, 2), np.ones((2, 3)))


def test_gradients_flow_to_a_view_of_a_turned_tensor():
    def program(T, x):
        y = x * 2
        row = y[1]
        y.t_()
        y[0].mul_(3)
        return row, y

    same(program, np.ones((2, 3)))


def test_numpy_s_functions_keep_the_graph():
    t = ndl.from_numpy(X).requires_grad_()
    turned = np.transpose(t), np.transpose(t, (1, 0, 2)), np.swapaxes(t, 0, 1), np.moveaxis(t, 0, 2)
    for y in (*turned, np.expand_dims(t, 0)):
        assert y.requires_grad
    with pytest.raises(TypeError):
        ndl.permute(t, axes=(0, 1, 2))


@refusals(
    (lambda T, x, z: x.transpose(0, 2), "expected to be in range of [-2, 1], but got 2"),
    (lambda T, x, z: z.transpose(0, 1), "expected to be in range of [-1, 0], but got 1"),
    (lambda T, x, z: x.permute(0), "input.dim() = 2 is not equal to len(dims) = 1"),
    (lambda T, x, z: x.permute(0, 0), "duplicate dims are not allowed"),
    (lambda T, x, z: x.permute(0, 3), "Dimension out of range"),
    (lambda T, x, z: x.movedim((0, 1), (1,)), "should contain the same number of dims"),
    (lambda T, x, z: x.movedim((0, 0), (1, 0)), "repeated dim in `source` ([0, 0])"),
    (lambda T, x, z: x[None].t(), "t() expects a tensor with <= 2 dimensions, but self is 3D"),
    (lambda T, x, z: x[0].mT, "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor."),
    (lambda T, x, z: x[None].H, "consider using tensor.mH"),
    (lambda T, x, z: x[0].adjoint(), "tensor.adjoint() is only supported on matrices"),
    (lambda T, x, z: T.permute([1], (0,)), "must be Tensor, not list"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
