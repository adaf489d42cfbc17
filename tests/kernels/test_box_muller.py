"""Normals from uniforms: the formula, PyTorch's digits, and the pieces."""

import numpy as np
import pytest
import torch

from ndl.kernels.box_muller import PIECE, box_muller


def by_formula(u: np.ndarray) -> np.ndarray:
    """In float64, whatever u's dtype."""
    u = u.astype(np.float64).reshape(-1, 2, 8)
    r, t = np.sqrt(-2 * np.log1p(-u[:, 0])), 2 * np.pi * u[:, 1]
    return np.stack([r * np.cos(t), r * np.sin(t)], axis=1).ravel()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 4e-15)])
@pytest.mark.parametrize("n", [16, 32, 160, 2 * PIECE, 2 * PIECE + 16, 5 * PIECE])
def test_is_the_formula(dtype: type, tolerance: float, n: int) -> None:
    z = np.random.default_rng(n).random(n, dtype)  # multiples of 2**-24 or 2**-53, so that 1 - u is exact
    expected = by_formula(z)
    box_muller(z)
    # The angle 2 pi u2 is rounded, so the error is relative to the radius, not to the sine.
    assert np.abs(z - expected).max() <= tolerance


def test_float32_is_torchs_bit_for_bit() -> None:
    n = 1 << 20
    generator = torch.Generator().manual_seed(8)
    u = torch.rand(n, generator=generator).numpy()
    expected = torch.randn(n, generator=generator.manual_seed(8)).numpy()
    box_muller(u)
    # About one in 10**8 may differ by one unit in the last place.
    assert np.count_nonzero(u != expected) <= 1
    assert np.allclose(u, expected, rtol=2e-7, atol=0)


def test_the_ends_of_the_range_are_finite_and_right() -> None:
    for dtype in (np.float32, np.float64):
        largest = 1 - np.finfo(dtype).epsneg
        u = np.zeros(16, dtype)
        u[1], u[2], u[3] = largest, 0.5, largest
        u[9:12] = 0, 0.25, largest
        expected = by_formula(u)
        box_muller(u)
        assert u[0] == 0 and u[8] == 0, "radius 0"
        assert np.isfinite(u).all()
        assert np.allclose(u, expected, rtol=1e-6, atol=1e-6)
