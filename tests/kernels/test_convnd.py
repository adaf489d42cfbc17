"""Convolution in one, two, three and four dimensions against PyTorch, and against its own definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ndl.kernels import convnd
from ndl.kernels.conv2d import choose as ladder

TORCH = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}


def assert_close(got: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max(initial=0) <= tolerance * np.abs(wanted).max(initial=0)


def assert_equals_torch(rng, x_shape, W_shape, how, dtype, tolerance) -> None:
    x, W = rng.standard_normal(x_shape).astype(dtype), rng.standard_normal(W_shape).astype(dtype)
    bias = rng.standard_normal(W_shape[0]).astype(dtype)
    tx, tW, tb = (torch.tensor(a.astype(np.float64)) for a in (x, W, bias))
    tx.requires_grad_()
    tW.requires_grad_()
    ty = TORCH[len(x_shape) - 2](tx, tW, tb, *how)
    dy = rng.standard_normal(ty.shape).astype(dtype)
    tdx, tdW = torch.autograd.grad(ty, (tx, tW), torch.tensor(dy.astype(np.float64)))
    assert_close(convnd.forward(x, W, *how, bias), ty.detach().numpy(), tolerance)
    assert_close(convnd.input_grad(dy, W, x.shape, *how), tdx.numpy(), tolerance)
    assert_close(convnd.weight_grad(x, dy, W.shape, *how), tdW.numpy(), tolerance)


@given(st.data())
def test_equals_pytorch(data: st.DataObject) -> None:
    nd = data.draw(st.integers(1, 3), label="dimensions")
    some = lambda *numbers: tuple(data.draw(st.sampled_from(numbers)) for _ in range(nd))
    kernel, stride, padding, dilation = some(1, 2, 3, 3, 5), some(1, 1, 2, 3), some(0, 1, 2, 3), some(1, 1, 2)
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding)]
    size = tuple(n + data.draw(st.integers(0, 6)) for n in least)
    n, groups, c, o = (data.draw(st.integers(1, 3)) for _ in range(4))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    shapes = (n, groups * c, *size), (groups * o, c, *kernel)
    assert_equals_torch(rng, *shapes, (stride, padding, dilation, groups), np.float64, 1e-12)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_long_rows_of_many_channels_take_winograd(kernel: int, monkeypatch) -> None:
    calls = []
    rung = ladder.winograd_rows
    forward = rung.forward
    monkeypatch.setattr(rung, "forward", lambda *args: calls.append(1) or forward(*args))
    rng = np.random.default_rng(0)
    how = ((1,), (kernel // 2,), (1,), 1)
    assert_equals_torch(rng, (8, 16, 128), (32, 16, kernel), how, np.float32, 1e-5)
    assert calls == [1]


def test_three_dimensions_in_float32() -> None:
    how = ((1, 1, 1), (1, 1, 1), (1, 1, 1), 1)
    assert_equals_torch(np.random.default_rng(0), (4, 8, 4, 16, 16), (8, 8, 3, 3, 3), how, np.float32, 1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_padding_wider_than_the_kernel_leaves_taps_without_input(stride: int) -> None:
    how = ((stride, 1, 1), (4, 0, 0), (1, 1, 1), 1)
    assert_equals_torch(np.random.default_rng(0), (2, 1, 3, 3, 3), (1, 1, 2, 3, 3), how, np.float64, 1e-12)


def test_four_dimensions_by_definition() -> None:
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((2, 2, 3, 4, 3, 5)), rng.standard_normal((3, 2, 2, 2, 1, 3))
    how = ((1, 2, 1, 1), (1, 0, 0, 1), (1, 1, 1, 1), 1)
    y = convnd.forward(x, W, *how)
    x_hat = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0), (0, 0), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(x_hat, W.shape[2:], axis=(2, 3, 4, 5))[:, :, :, ::2]
    assert_close(y, np.einsum("ncpqrsabde,ocabde->nopqrs", windows, W), 1e-12)
    dy = rng.standard_normal(y.shape)
    value = np.vdot(dy, y)
    np.testing.assert_allclose(np.vdot(convnd.input_grad(dy, W, x.shape, *how), x), value, rtol=1e-10)
    np.testing.assert_allclose(np.vdot(convnd.weight_grad(x, dy, W.shape, *how), W), value, rtol=1e-10)


@pytest.mark.parametrize("nd", [1, 2, 3])
def test_empty_batch(nd: int) -> None:
    how = ((1,) * nd, (1,) * nd, (1,) * nd, 1)
    x, W, dy = np.zeros((0, 2, *(4,) * nd)), np.ones((3, 2, *(3,) * nd)), np.zeros((0, 3, *(4,) * nd))
    assert convnd.forward(x, W, *how).shape == dy.shape
    assert convnd.input_grad(dy, W, x.shape, *how).shape == x.shape
    np.testing.assert_array_equal(convnd.weight_grad(x, dy, W.shape, *how), np.zeros_like(W))


@pytest.mark.parametrize("nd", [1, 2, 3])
def test_a_kernel_that_does_not_fit_is_refused(nd: int) -> None:
    x, W = np.zeros((1, 1, *(4,) * nd)), np.zeros((1, 1, *(7,) * nd))
    with pytest.raises(RuntimeError, match="use a smaller kernel or dilation, or more padding"):
        convnd.forward(x, W, (1,) * nd, (1,) * nd, (1,) * nd, 1)


def test_output_size() -> None:
    assert convnd.output_size((7, 8, 9), (3, 3, 2), (2, 3, 1), (1, 0, 0), (1, 2, 3)) == (4, 2, 6)
