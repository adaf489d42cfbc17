from collections.abc import Callable

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.shape")

X = np.arange(24.0).reshape(2, 3, 4)

VIEWS: list[Callable] = [
    lambda x: x.reshape(6, 4),
    lambda x: x.reshape(24)[3:].reshape(3, 7),
    lambda x: x.view(4, 6),
    lambda x: x.view(2, 3, 2, 2),
    lambda x: x.transpose(0, 1).view(3, 2, 2, 2),
    lambda x: x.transpose(0, 1).reshape(6, 4),
    lambda x: x.permute(2, 1, 0).reshape(24),
    lambda x: x[:, :2].reshape(2, 8),
    lambda x: x[:, :, :2].reshape(2, 6),
    lambda x: x[:, :, ::2].view(6, 2),
    lambda x: x.flatten(),
    lambda x: x.flatten(1),
    lambda x: x.permute(2, 1, 0).flatten(),
    lambda x: x.ravel(),
    lambda x: x.unflatten(2, (2, 2)),
    lambda x: x.squeeze(),
    lambda x: x.unsqueeze(1),
    lambda x: x.unsqueeze(-1).squeeze(-1),
    lambda x: x.expand(5, 2, 3, 4),
    lambda x: x.unsqueeze(0).expand(1, -1, 3, -1),
    lambda x: x.reshape(1, 24).expand(2, 24).reshape(48),
    lambda x: x.reshape(1, 24).expand(2, 24).view(2, 2, 12),
]


@pytest.mark.parametrize("f", VIEWS)
def test_memory_is_shared_where_pytorch_shares_it(f: Callable) -> None:
    def shares(x):
        return f(x).data_ptr() == x.data_ptr()

    ours, theirs = ndl.from_numpy(X.copy()), torch.from_numpy(X.copy())
    assert shares(ours) == shares(theirs)
    assert tuple(f(ours).shape) == tuple(f(theirs).shape)


def test_a_write_is_seen_through_every_view():
    x = ndl.zeros(2, 3)
    a, b, c = x.view(3, 2), x.flatten(), x.unsqueeze(0)
    c[0, 1, 2] = 5.0
    assert a[2, 1].item() == b[5].item() == x[1, 2].item() == 5.0
    assert x.reshape(6).data_ptr() == x.data_ptr()


def test_a_copy_is_not_written_through():
    x = ndl.zeros(2, 3)
    x.T.reshape(6).fill_(1.0)
    assert x.sum().item() == 0.0


def test_expanded_memory_cannot_be_written():
    with pytest.raises(RuntimeError, match="single memory location"):
        ndl.zeros(1, 3).expand(2, 3).add_(1)
    x = ndl.zeros(3)
    x.expand(1, 3).add_(1)  # nothing is repeated: PyTorch allows it, too
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_gradients_of_repeats_add_up():
    x = ndl.tensor([[1.0], [2.0]], requires_grad=True)
    (x.expand(2, 3) * ndl.arange(6.0).reshape(2, 3)).sum().backward()
    assert x.grad.tolist() == [[3.0], [12.0]]


def test_the_tensor_itself_in_another_shape():
    def program(T):
        x = T.arange(6.0).reshape(1, 2, 3)
        view = x[0]
        x.squeeze_(0).unsqueeze_(1)
        x[0, 0, 0] = 9.0
        return tuple(x.shape), tuple(view.shape), view.tolist(), x.unsqueeze_(0) is x

    agree(program)


def test_gradients_after_the_tensor_changed_its_shape():
    def program(T, x):
        y = x * 2
        part = y[1]
        y.unsqueeze_(0)
        y.mul_(3)
        return part, y

    same(program, np.ones((2, 3)))
    same(lambda T, x: (x * 2)[0].unsqueeze_(0).mul_(3), np.ones((2, 3)))


def test_used_twice_before_one_backward():
    same(lambda T, x: (x.reshape(-1) * 2, x.reshape(3, 2).exp(), x.unsqueeze(1)), np.ones((2, 3)))


def test_plain_arrays_stay_arrays():
    for f in (ndl.reshape, lambda x, s: ndl.squeeze(ndl.unsqueeze(x, 0)), lambda x, s: ndl.broadcast_to(x, (2, 2, 3))):
        y = f(np.ones((2, 3)), (3, 2))
        assert type(y) is np.ndarray


def test_broadcast_shapes():
    agree(lambda T: tuple(T.broadcast_shapes((2, 1, 3), 3, (4, 1))))
    agree(lambda T: tuple(T.broadcast_shapes()))
    assert isinstance(ndl.broadcast_shapes((1,), (2,)), ndl.Size)


def test_bytes_read_as_another_type():
    agree(lambda T: T.arange(3.0).view(T.int32).tolist())
    agree(lambda T: tuple(T.zeros(2, 4).view(T.float64).shape))
    agree(lambda T: T.ones(2, requires_grad=True).view(T.int32).requires_grad)
    x = ndl.zeros(2)
    x.view(ndl.int32).fill_(1)
    assert x.view(ndl.int32).tolist() == [1, 1]


@refusals(
    (lambda T, x, z: x.view(4, 2), "shape '[4, 2]' is invalid for input of size 6"),
    (lambda T, x, z: x.T.view(6), "Use .reshape(...) instead"),
    (lambda T, x, z: x.reshape(-1, -1), "only one dimension can be inferred"),
    (lambda T, x, z: x.reshape(-2, 3), "invalid shape dimension -2 at index 0 of shape [-2, 3]"),
    (lambda T, x, z: T.zeros(0, 3).reshape(-1, 0), "is ambiguous"),
    (lambda T, x, z: x.reshape(2.0, 3), ""),
    (lambda T, x, z: T.reshape([1], (1,)), "argument 'input' (position 1) must be Tensor, not list"),
    (lambda T, x, z: x.view(T.float64), "self.size(-1) must be divisible by 2"),
    (lambda T, x, z: x.T.view(T.float64), "self.stride(-1) must be 1"),
    (lambda T, x, z: z.view(T.int16), "self.dim() cannot be 0"),
    (lambda T, x, z: x.flatten(1, 0), "start_dim cannot come after end_dim"),
    (lambda T, x, z: x.flatten(3), "expected to be in range of [-2, 1], but got 3"),
    (lambda T, x, z: x.unflatten(1, (2, 2)), "don't multiply up to the size of dim 1 (3)"),
    (lambda T, x, z: x.unflatten(1, ()), "sizes must be non-empty"),
    (lambda T, x, z: x.squeeze((0, 0)), "dim 0 appears multiple times"),
    (lambda T, x, z: z.squeeze(1), "expected to be in range of [-1, 0], but got 1"),
    (lambda T, x, z: x.unsqueeze(4), "expected to be in range of [-3, 2], but got 4"),
    (lambda T, x, z: x.expand(2, 4), "must match the existing size (3) at non-singleton dimension 1"),
    (lambda T, x, z: x.expand(3), "must be greater or equal to the number of dimensions"),
    (lambda T, x, z: x.expand(-1, 2, 3), "isn't allowed in a leading, non-existing dimension 0"),
    (lambda T, x, z: x.expand(-2, 3), "The expanded size of the tensor (-2)"),
    (lambda T, x, z: T.broadcast_tensors(x, T.zeros(4)), "tensor a (3) must match the size of tensor b (4)"),
    (lambda T, x, z: T.ones(2, requires_grad=True).unsqueeze_(0), "leaf Variable that requires grad"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)


def test_the_result_of_a_convolution_can_be_viewed() -> None:
    """It lies channels last in memory, which must not show: PyTorch's programs call ``view`` on it."""
    gradients = []
    for T in (ndl, torch):
        T.manual_seed(0)
        x, W = T.randn(2, 3, 5, 4), T.randn(6, 3, 3, 3, requires_grad=True)
        y = T.nn.functional.conv2d(x, W) * 1
        z = y.view(2, -1)
        z[:, 0] = 0  # a true view: written through to y, and seen by the gradient
        assert y[0, 0, 0, 0].item() == 0
        (y * y).sum().backward()
        gradients.append(W.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-4)
    shared = ndl.nn.functional.conv2d(ndl.randn(2, 3, 5, 4), ndl.randn(6, 3, 3, 3))
    corner = shared[0]  # somebody else looks at the memory now, so it cannot move
    with pytest.raises(RuntimeError, match="reshape"):
        shared.view(2, -1)
    assert corner.shape == (6, 3, 2)
