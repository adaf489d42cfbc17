"""The protocol for ``ndl.nn.affine_grid``, the identity, a turn, and errors."""

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.affine_grid")

F = ndl.nn.functional


@pytest.mark.parametrize("align_corners", [False, True])
def test_the_identity_samples_the_picture_itself(align_corners: bool) -> None:
    for size in ((2, 3, 4, 5), (2, 1, 3, 4, 2)):
        x = ndl.from_numpy(np.random.default_rng(0).standard_normal(size))
        d = len(size) - 2
        theta = ndl.eye(d, d + 1, dtype=ndl.float64).expand(2, d, d + 1)
        grid = F.affine_grid(theta, size, align_corners)
        np.testing.assert_allclose(F.grid_sample(x, grid, align_corners=align_corners), x, atol=1e-12)


def test_a_quarter_turn() -> None:
    x = ndl.from_numpy(np.arange(9.0).reshape(1, 1, 3, 3))
    theta = ndl.tensor([[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]], dtype=ndl.float64)
    y = F.grid_sample(x, F.affine_grid(theta, (1, 1, 3, 3), False), align_corners=False)
    np.testing.assert_allclose(y[0, 0], np.rot90(x[0, 0].numpy(), -1), atol=1e-12)


def test_used_twice_before_one_backward() -> None:
    theta = ndl.ones(1, 2, 3, requires_grad=True)
    (F.affine_grid(theta, (1, 1, 2, 2), False).sum() + 2 * F.affine_grid(theta, (1, 1, 2, 2), False).sum()).backward()
    np.testing.assert_allclose(theta.grad[0], [[0, 0, 12], [0, 0, 12]], atol=1e-6)


@pytest.mark.filterwarnings("ignore:Since version")
def test_a_single_pixel_is_at_the_centre() -> None:
    for align_corners in (False, True):
        theta = np.random.default_rng(0).standard_normal((1, 2, 3)).astype(np.float32)
        ours = F.affine_grid(ndl.from_numpy(theta), (1, 1, 1, 3), align_corners)
        theirs = torch.nn.functional.affine_grid(torch.from_numpy(theta), (1, 1, 1, 3), align_corners)
        assert ours.dtype == ndl.float32
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6)


WRONG = [
    (NotImplementedError, lambda F, t: F.affine_grid(t, (2, 1, 3), False)),
    (NotImplementedError, lambda F, t: F.affine_grid(t, (2, 1, 3, 4, 5, 6), False)),
    (ValueError, lambda F, t: F.affine_grid(t, (2, 1, 3, 4, 5), False)),
    (ValueError, lambda F, t: F.affine_grid(t[0], (2, 1, 3, 4), False)),
    (ValueError, lambda F, t: F.affine_grid(t.long(), (2, 1, 3, 4), False)),
    (ValueError, lambda F, t: F.affine_grid(t, (2, 1, 0, 4), False)),
    (ValueError, lambda F, t: F.affine_grid(t, (2, 0, 3, 4), False)),
    (RuntimeError, lambda F, t: F.affine_grid(t, (3, 1, 3, 4), False)),
]


@pytest.mark.parametrize(("error", "run"), WRONG)
def test_wrong_arguments_raise_what_pytorch_raises(error: type[Exception], run) -> None:
    for T in (ndl, torch):
        with pytest.raises(error):
            run(T.nn.functional, T.ones(2, 2, 3))
