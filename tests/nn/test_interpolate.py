"""The protocol for ``ndl.nn.interpolate``, closed forms, extreme values, errors, and the two ways to compute it."""

import warnings

import numpy as np
import pytest
import torch

import ndl
from ndl.kernels.resample import by_matrix, by_taps, resample, taps
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.interpolate")

F, TF = ndl.nn.functional, torch.nn.functional


def both(x: np.ndarray, **options) -> tuple[np.ndarray, np.ndarray]:
    return F.interpolate(ndl.from_numpy(x), **options).numpy(), TF.interpolate(torch.from_numpy(x), **options).numpy()


def test_a_published_example() -> None:
    """PyTorch's documentation of UpsamplingBilinear2d: 2 x 2 to 4 x 4 with aligned corners."""
    x = ndl.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    third = np.arange(4) / 3
    np.testing.assert_allclose(
        ndl.nn.UpsamplingBilinear2d(scale_factor=2)(x)[0, 0], 1 + third + 2 * third[:, None], rtol=1e-6
    )
    np.testing.assert_array_equal(
        ndl.nn.UpsamplingNearest2d(scale_factor=2)(x)[0, 0], np.kron([[1, 2], [3, 4]], np.ones((2, 2)))
    )


@pytest.mark.parametrize("mode", ["linear", "bilinear", "trilinear", "bicubic"])
def test_a_ramp_stays_a_ramp(mode: str) -> None:
    """Linear and cubic interpolation reproduce linear functions; with aligned corners between the corners exactly."""
    dims = {"linear": 1, "trilinear": 3}.get(mode, 2)
    axes = np.meshgrid(*[np.arange(7.0)] * dims, indexing="ij")
    x = sum((a + 1) * axis for a, axis in enumerate(axes))[None, None]
    y = F.interpolate(ndl.from_numpy(x), (13,) * dims, mode=mode, align_corners=True).numpy()
    fine = np.meshgrid(*[np.arange(13) / 2] * dims, indexing="ij")
    wanted = sum((a + 1) * axis for a, axis in enumerate(fine))
    inside = (0, 0) + (slice(2, -2),) * dims  # cubic sees the border within two pixels
    np.testing.assert_allclose(y[inside], wanted[inside[2:]], rtol=1e-12)


@pytest.mark.parametrize("kind", ["linear", "cubic"])
@pytest.mark.parametrize("m", [1, 5, 9, 23])
def test_weights_of_an_output_sum_to_one(kind: str, m: int) -> None:
    for antialias in (False, True):
        t = taps(kind, 9, m, False, None, antialias, np.dtype(float))
        if t is not None:
            np.testing.assert_allclose(t.matrix.sum(1), 1, rtol=1e-12)


def test_taps_and_matrix_say_the_same() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 7, 3))
    for kind in ("nearest", "linear", "cubic"):
        for m in (1, 4, 7, 19):
            t = taps(kind, 7, m, False, None, False, np.dtype(float))
            for one in (t, t.transposed) if t is not None else ():
                z = x if one is t else rng.standard_normal((2, m, 3))
                np.testing.assert_allclose(by_taps(z, one, 1), by_matrix(z, one, 1), atol=1e-12)
                np.testing.assert_allclose(by_taps(z[..., 0], one, 1), by_matrix(z[..., 0], one, 1), atol=1e-12)
            if t is not None:
                np.testing.assert_allclose(t.transposed.matrix, t.matrix.T, atol=1e-15)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_every_pair_of_sizes_reads_pytorchs_pixel(mode: str) -> None:
    for dtype in (np.float32, np.float64):
        for n in range(1, 20):
            x = np.arange(n, dtype=dtype)[None, None]
            for options in [{"size": m} for m in range(1, 40)] + [{"scale_factor": f / 10} for f in range(1, 34)]:
                if int(n * options.get("scale_factor", 1)) >= 1:
                    ours, theirs = both(x, mode=mode, **options)
                    np.testing.assert_array_equal(ours, theirs, err_msg=f"{n} {options}")


def test_nearest_gradient_is_that_of_the_output() -> None:
    """5 pixels to ⌊5 · 1.1⌋ = 5: the output reads pixel 0 twice, so it gets two gradients. (PyTorch gives it one.)"""
    x = ndl.arange(5.0).reshape(1, 1, 5).requires_grad_()
    y = F.interpolate(x, scale_factor=1.1)
    np.testing.assert_array_equal(y[0, 0].detach(), [0, 0, 1, 2, 3])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [2, 1, 1, 1, 0])


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
def test_an_infinite_pixel_stays_among_its_neighbours(mode: str) -> None:
    x = np.random.default_rng(0).standard_normal((1, 1, 8, 9))
    for value in (np.inf, -np.inf, np.nan, 1e4, -1e4):
        x[0, 0, 3, 4] = value
        ours, theirs = both(x, size=(5, 13), mode=mode)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.isfinite(ours).any()


def test_an_infinite_gradient_stays_at_its_pixels() -> None:
    x = ndl.zeros(1, 1, 3, requires_grad=True)
    y = F.interpolate(x, 2)  # reads pixels 0 and 1; nobody reads 2
    y.backward(ndl.full((1, 1, 2), np.inf))
    np.testing.assert_array_equal(x.grad[0, 0], [np.inf, np.inf, 0])


def test_float32_is_as_exact_as_pytorchs() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 17, 23))
    for mode in ("bilinear", "bicubic"):
        for size in ((34, 46), (9, 50)):
            truth, _ = both(x, size=size, mode=mode)
            ours, theirs = both(x.astype(np.float32), size=size, mode=mode)
            assert ours.dtype == np.float32
            assert np.abs(ours - truth).max() <= 4 * np.abs(theirs - truth).max()


def test_types_and_empty_batches() -> None:
    x = np.random.default_rng(0).integers(0, 255, (1, 2, 4, 4)).astype(np.uint8)
    np.testing.assert_array_equal(*both(x, size=7))
    half = both(np.ones((1, 2, 4, 4), np.float16), size=3, mode="bilinear")
    assert half[0].dtype == half[1].dtype == np.float16
    for mode in ("nearest", "bilinear", "bicubic"):
        assert F.interpolate(ndl.zeros(0, 2, 4, 4), 3, mode=mode).shape == (0, 2, 3, 3)
    same = ndl.ones(1, 1, 3)
    assert F.interpolate(same, 3, mode="linear").data_ptr() != same.data_ptr()


def test_used_twice_before_one_backward() -> None:
    layer = ndl.nn.Upsample(scale_factor=2, mode="bilinear")
    x = ndl.ones(1, 1, 2, 2, requires_grad=True)
    (layer(x).sum() + layer(x).sum()).backward()
    np.testing.assert_allclose(x.grad, np.full((1, 1, 2, 2), 8.0))


WRONG = [
    (ValueError, lambda F, x: F.interpolate(x)),
    (ValueError, lambda F, x: F.interpolate(x, 3, 2.0)),
    (ValueError, lambda F, x: F.interpolate(x, (3,))),
    (ValueError, lambda F, x: F.interpolate(x, scale_factor=(3,))),
    (ValueError, lambda F, x: F.interpolate(x, 3, recompute_scale_factor=True)),
    (ValueError, lambda F, x: F.interpolate(x, 3, align_corners=True)),
    (ValueError, lambda F, x: F.interpolate(x, 3, antialias=True)),
    (ValueError, lambda F, x: F.interpolate(x, 3, mode="lanczos")),
    (ValueError, lambda F, x: F.interpolate(x, 3, mode="lanczos", antialias=True, align_corners=True)),
    (TypeError, lambda F, x: F.interpolate(x, 3.5)),
    (TypeError, lambda F, x: F.interpolate(x, (3.5, 2))),
    (TypeError, lambda F, x: F.interpolate(x, "a")),
    (TypeError, lambda F, x: F.interpolate(x, scale_factor="a")),
    (RuntimeError, lambda F, x: F.interpolate(x, 0)),
    (RuntimeError, lambda F, x: F.interpolate(x, scale_factor=0.1)),
    (RuntimeError, lambda F, x: F.interpolate(x, scale_factor=-2.0)),
    (RuntimeError, lambda F, x: F.interpolate(x[:, :0], 3)),
    (RuntimeError, lambda F, x: F.interpolate(x[:, :, :0], 3)),
    (NotImplementedError, lambda F, x: F.interpolate(x, 3, mode="foo")),
    (NotImplementedError, lambda F, x: F.interpolate(x, 3, mode="linear")),
    (NotImplementedError, lambda F, x: F.interpolate(x[0], 3, mode="bicubic")),
    (NotImplementedError, lambda F, x: F.interpolate(x[0, 0], 3)),
    (NotImplementedError, lambda F, x: F.interpolate(x.long(), 3)),
    (NotImplementedError, lambda F, x: F.interpolate(x.long(), 3, mode="bilinear")),
    (NotImplementedError, lambda F, x: F.interpolate(x.long(), 3, mode="area")),
]


@pytest.mark.parametrize(("error", "run"), WRONG)
def test_wrong_arguments_raise_what_pytorch_raises(error: type[Exception], run) -> None:
    for T in (ndl, torch):
        with pytest.raises(error):
            run(T.nn.functional, T.ones(2, 4, 6, 6))


def test_messages_name_what_was_given() -> None:
    with pytest.raises(NotImplementedError, match="Got 4D input, but trilinear mode needs 5D input"):
        F.interpolate(ndl.ones(1, 1, 2, 2), 3, mode="trilinear")
    with pytest.raises(NotImplementedError, match=r"mode='bilinear'.*\.float\(\)"):
        F.interpolate(ndl.ones(1, 1, 2, 2).to(ndl.uint8), 3, mode="bilinear")


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Upsample(scale_factor=2),
        lambda nn: nn.Upsample((3, 4), mode="bicubic"),
        lambda nn: nn.Upsample(scale_factor=(2, 1.5), mode="bilinear", align_corners=True),
        lambda nn: nn.UpsamplingNearest2d(3),
        lambda nn: nn.UpsamplingBilinear2d(scale_factor=2),
    ],
)
def test_reprs_and_states(make) -> None:
    assert repr(make(ndl.nn)) == repr(make(torch.nn))
    assert not make(ndl.nn).state_dict()


def test_deprecated_names_warn() -> None:
    for name in ("upsample", "upsample_nearest", "upsample_bilinear"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(F, name)(ndl.ones(1, 1, 2, 2), scale_factor=2)
        assert "deprecated" in str(caught[0].message)


def test_resample_keeps_the_type() -> None:
    t = taps("cubic", 5, 8, False, None, False, np.dtype(np.float32))
    assert resample(np.ones((2, 5), np.float32), t, 1).dtype == np.float32
