"""float32 convolutions keep their digits: what Winograd and Fourier lose where filters cancel is noticed, and mended."""

import numpy as np
import pytest
import torch

import ndl
from ndl.kernels.conv2d import winograd_allowed
from ndl.kernels.conv2d.spot_check import forward_is_good, input_grad_is_good

F, TF = ndl.nn.functional, torch.nn.functional
LAPLACE = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32)


def each_channel_alone(filter: np.ndarray, channels: int) -> np.ndarray:
    W = np.zeros((channels, channels, *filter.shape), np.float32)
    W[np.arange(channels), np.arange(channels)] = filter
    return W


def pictures(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "ramp":
        return (np.add.outer(np.arange(16), np.arange(16)) * 8 + 0.1 * rng.standard_normal((4, 64, 16, 16))).astype(
            "f4"
        )
    return (200 + rng.integers(0, 2, (4, 64, 16, 16)) * (kind == "integers")).astype("f4")


@pytest.mark.parametrize("kind", ["ramp", "constant", "integers"])
def test_filters_that_cancel(kind: str) -> None:
    x, W = pictures(kind), each_channel_alone(LAPLACE, 64)
    truth = TF.conv2d(torch.tensor(x).double(), torch.tensor(W).double()).numpy()
    y = F.conv2d(ndl.tensor(x), ndl.tensor(W)).numpy()
    assert np.abs(y - truth).max() <= 1e-4 * np.abs(truth).max()


def test_filters_that_cancel_on_the_way_back() -> None:
    dy, W = pictures("ramp"), each_channel_alone(LAPLACE, 64)
    x = ndl.zeros(4, 64, 18, 18, requires_grad=True)
    F.conv2d(x, ndl.tensor(W)).backward(ndl.tensor(dy))
    t = torch.zeros(4, 64, 18, 18, dtype=torch.float64, requires_grad=True)
    TF.conv2d(t, torch.tensor(W).double()).backward(torch.tensor(dy).double())
    inside = np.s_[:, :, 3:-3, 3:-3]  # at the edge nothing cancels
    truth = t.grad.numpy()[inside]
    assert np.abs(x.grad.numpy()[inside] - truth).max() <= 3e-4 * np.abs(truth).max()


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2), (4, 3)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 2)])
def test_right_results_pass_and_wrong_ones_do_not(
    groups: int, padding: tuple[int, int], kernel: tuple[int, int]
) -> None:
    rng = np.random.default_rng(1)
    x = torch.tensor(rng.standard_normal((3, 6, 7, 9)), dtype=torch.float32, requires_grad=True)
    W = torch.tensor(rng.standard_normal((4, 6 // groups, *kernel)), dtype=torch.float32)
    b = torch.tensor(rng.standard_normal(4), dtype=torch.float32)
    y = TF.conv2d(x, W, b, padding=padding, groups=groups)
    dy = torch.tensor(rng.standard_normal(tuple(y.shape)), dtype=torch.float32)
    y.backward(dy)
    y, dx = y.detach().numpy(), x.grad.numpy()
    for error, good in ((0, True), (1e-3, False)):
        assert forward_is_good(x.detach().numpy(), W.numpy(), y + error, padding, groups, b.numpy()) == good
        assert input_grad_is_good(dy.numpy(), W.numpy(), dx + error, padding, groups) == good


def test_an_infinite_pixel_that_is_seen_spoils_no_neighbours() -> None:
    x, W = np.ones((1, 64, 32, 32), np.float32), np.full((64, 64, 3, 3), 0.5, np.float32)
    x[0, :, ::2] = np.inf
    with winograd_allowed(False):
        exact = F.conv2d(ndl.tensor(x), ndl.tensor(W)).numpy()
    np.testing.assert_array_equal(F.conv2d(ndl.tensor(x), ndl.tensor(W)).numpy(), exact)
