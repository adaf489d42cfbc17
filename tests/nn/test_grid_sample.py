"""The protocol for ``ndl.nn.grid_sample``, closed forms, places far outside, types and errors."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.grid_sample")

F, TF = ndl.nn.functional, torch.nn.functional
OPTIONS = list(itertools.product(["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [False, True]))


def pixels(n: int, align_corners: bool) -> np.ndarray:
    """The centres of n pixels."""
    return np.linspace(-1, 1, n) if align_corners else (2 * np.arange(n) + 1) / n - 1


@pytest.mark.parametrize(("mode", "padding", "align_corners"), OPTIONS)
def test_the_grid_of_all_pixels_gives_the_picture(mode: str, padding: str, align_corners: bool) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    v, u = np.meshgrid(pixels(4, align_corners), pixels(5, align_corners), indexing="ij")
    grid = np.broadcast_to(np.stack([u, v], -1), (2, 4, 5, 2)).copy()
    y = F.grid_sample(ndl.from_numpy(x), ndl.from_numpy(grid), mode, padding, align_corners)
    np.testing.assert_allclose(y, x, atol=1e-13)


def test_between_four_pixels_is_their_mean() -> None:
    x = ndl.tensor([[[[1.0, 2.0], [3.0, 5.0]]]], dtype=ndl.float64, requires_grad=True)
    grid = ndl.zeros(1, 1, 1, 2, dtype=ndl.float64, requires_grad=True)
    y = F.grid_sample(x, grid, align_corners=True)
    y.backward()
    assert y.item() == 2.75
    np.testing.assert_array_equal(x.grad, np.full((1, 1, 2, 2), 0.25))
    np.testing.assert_array_equal(grid.grad.flatten(), [0.75, 1.25])  # half the slopes 1.5 and 2.5 a pixel


@pytest.mark.parametrize(("mode", "padding", "align_corners"), OPTIONS)
def test_places_far_outside(mode: str, padding: str, align_corners: bool) -> None:
    x = np.random.default_rng(0).standard_normal((1, 2, 3, 1))
    grid = np.array([1e4, -1e4, 37.123, -77.77, 1e7, -1e7, 0.3, 0.1]).reshape(1, 2, 2, 2)
    found = []
    for T in (ndl, torch):
        a, g = T.from_numpy(x).requires_grad_(), T.from_numpy(grid).requires_grad_()
        y = T.nn.functional.grid_sample(a, g, mode, padding, align_corners)
        y.square().sum().backward()
        found.append([y.detach().numpy(), a.grad.numpy(), g.grad.numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)


def test_an_infinite_place_is_outside() -> None:
    grid = ndl.tensor([np.inf, 0.0, -np.inf, 0.0]).reshape(1, 1, 2, 2)
    y = F.grid_sample(ndl.ones(1, 1, 3, 3), grid, "nearest", align_corners=False)
    np.testing.assert_array_equal(y.flatten(), [0, 0])


def test_an_infinite_pixel_stays_at_its_place() -> None:
    x = np.zeros((1, 1, 1, 4))
    x[..., 0] = np.inf
    grid = np.stack([np.array([-0.9, 0.1, 0.5]), np.zeros(3)], -1).reshape(1, 1, 3, 2)
    y = F.grid_sample(ndl.from_numpy(x), ndl.from_numpy(grid), padding_mode="border", align_corners=False)
    np.testing.assert_array_equal(np.isfinite(y.numpy()).ravel(), [False, True, True])


def test_types_and_empty_inputs() -> None:
    for T in (ndl, torch):
        run = T.nn.functional.grid_sample
        x, g = T.ones(2, 4, 6, 6), T.zeros(2, 3, 3, 2)
        assert run(x, g, align_corners=False).dtype == T.float32
        assert run(x.half(), g.half(), align_corners=False).dtype == T.float16
        assert run(x[:, :0], g, align_corners=False).shape == (2, 0, 3, 3)
        assert run(x[:0], g[:0], align_corners=False).shape == (0, 4, 3, 3)
        assert run(x, g[:, :0], align_corners=False).shape == (2, 4, 0, 3)
        for nothing in (T.zeros(2, 0, 3, 2, requires_grad=True), T.zeros(2, 3, 0, 2, requires_grad=True)):
            x.requires_grad_().grad = None
            run(x, nothing, align_corners=False).sum().backward()
            assert nothing.grad.shape == nothing.shape and (x.grad == 0).all()
        x = x.detach()
        assert T.grid_sampler(x, g, 1, 2, True).shape == (2, 4, 3, 3)


def test_used_twice_before_one_backward() -> None:
    x, g = ndl.ones(1, 1, 2, 2, requires_grad=True), ndl.zeros(1, 1, 1, 2)
    (F.grid_sample(x, g, align_corners=True) * 2 + F.grid_sample(x, g, align_corners=True)).sum().backward()
    np.testing.assert_allclose(x.grad, np.full((1, 1, 2, 2), 0.75))


WRONG = [
    (ValueError, lambda F, x, g: F.grid_sample(x, g, "foo")),
    (ValueError, lambda F, x, g: F.grid_sample(x, g, padding_mode="foo")),
    (RuntimeError, lambda F, x, g: F.grid_sample(x, g[:1], align_corners=False)),
    (RuntimeError, lambda F, x, g: F.grid_sample(x, g[..., :1], align_corners=False)),
    (RuntimeError, lambda F, x, g: F.grid_sample(x, g[0], align_corners=False)),
    (RuntimeError, lambda F, x, g: F.grid_sample(x[0], g, align_corners=False)),
    (RuntimeError, lambda F, x, g: F.grid_sample(x[:, :, :0], g, align_corners=False)),
    (RuntimeError, lambda F, x, g: F.grid_sample(x, g.double(), align_corners=False)),
    (
        RuntimeError,
        lambda F, x, g: F.grid_sample(x[:, :, None], g.new_zeros(2, 1, 1, 1, 3), "bicubic", align_corners=False),
    ),
    (NotImplementedError, lambda F, x, g: F.grid_sample(x.long(), g.long(), align_corners=False)),
]


@pytest.mark.parametrize(("error", "run"), WRONG)
def test_wrong_arguments_raise_what_pytorch_raises(error: type[Exception], run) -> None:
    for T in (ndl, torch):
        with pytest.raises(error):
            run(T.nn.functional, T.ones(2, 4, 6, 6), T.zeros(2, 3, 3, 2))


def test_align_corners_left_out_warns() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        F.grid_sample(ndl.ones(1, 1, 2, 2), ndl.zeros(1, 1, 1, 2))
        F.affine_grid(ndl.ones(1, 2, 3), (1, 1, 2, 2))
    assert len(caught) == 2 and all("align_corners" in str(w.message) for w in caught)
