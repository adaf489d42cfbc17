"""The protocol for ``ndl.nn.rmsnorm``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.rmsnorm")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def float32_errors(shape: tuple[int, ...], mean: float, run: Any) -> None:
    """Ours against the truth is at most four times PyTorch's, for the output and every gradient."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal(shape) + mean, rng.standard_normal(shape)

    def values(T: Any, dtype: Any) -> list[np.ndarray]:
        t = T.from_numpy(x.astype(np.float32).astype(dtype)).requires_grad_()
        y, parameters = run(T, t, rng_parameters(dtype))
        y.backward(T.from_numpy(dy.astype(np.float32).astype(dtype)))
        return [np.array(v.detach().numpy()) for v in (y, t.grad, *[p.grad for p in parameters])]

    def rng_parameters(dtype: Any) -> Any:
        r = np.random.default_rng(1)
        return lambda n: r.standard_normal(n).astype(np.float32).astype(dtype)

    truth = values(torch, np.float64)
    for exact, ours, theirs in zip(truth, values(ndl, np.float32), values(torch, np.float32), strict=True):
        scale = np.abs(exact).max()
        error, allowed = np.abs(ours - exact).max() / scale, 4 * np.abs(theirs - exact).max() / scale
        assert ours.dtype == np.float32 and error <= max(allowed, 1e-6)


@pytest.mark.parametrize(
    "shape, mean", [((768, 128), 0), ((64, 128), 1e4), ((3, 5000), 0), ((2000, 7), 0.5), ((9, 300), 1)]
)
def test_float32(shape: tuple[int, ...], mean: float) -> None:
    def run(T: Any, x: Any, draw: Any) -> Any:
        w = T.from_numpy(draw(shape[-1])).requires_grad_()
        return T.nn.functional.rms_norm(x, shape[-1:], w), (w,)

    float32_errors(shape, mean, run)


@LIBRARIES
def test_closed_form(T: Any) -> None:
    y = T.nn.functional.rms_norm(T.tensor([[3.0, 4.0, 0.0, 0.0]]), (4,), eps=0.0)  # √(25 / 4) = 2.5
    np.testing.assert_allclose(y.numpy(), [[1.2, 1.6, 0, 0]], rtol=1e-6)
    m = T.nn.RMSNorm(4)
    assert m.weight.tolist() == [1] * 4 and list(m.state_dict()) == ["weight"] and m.eps is None
    assert list(T.nn.RMSNorm(4, elementwise_affine=False).state_dict()) == []


@LIBRARIES
def test_zeros_empty_and_half(T: Any) -> None:
    x = T.zeros(2, 3, requires_grad=True)
    T.nn.RMSNorm(3)(x).sum().backward()
    assert x.grad.isfinite().all() and (x.grad > 1000).all()
    assert T.nn.RMSNorm(3)(T.ones(0, 3)).shape == (0, 3)
    y = T.nn.functional.rms_norm(T.tensor([[1.0, 2.0]]).half(), (2,))
    assert y.dtype == T.float16
    np.testing.assert_allclose(y.float().numpy(), [[0.6325, 1.265]], atol=2e-3)


@pytest.mark.parametrize("types", [("float32", "float64"), ("float64", "float32")])
def test_a_weight_of_another_type(types: tuple[str, str]) -> None:
    rng = np.random.default_rng(0)
    x, w, dy = rng.standard_normal((5, 3)), rng.standard_normal(3), rng.standard_normal((5, 3))

    def values(T: Any) -> list[Any]:
        a, b = (T.from_numpy(v.astype(t)).requires_grad_() for v, t in zip((x, w), types))
        y = T.nn.functional.rms_norm(a, (3,), b)
        y.backward(T.from_numpy(dy.astype(types[0])))
        return [np.array(v.detach().numpy()) for v in (y, a.grad, b.grad)]

    for ours, theirs in zip(values(ndl), values(torch), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@LIBRARIES
def test_what_does_not_fit(T: Any) -> None:
    F = T.nn.functional
    for call in (
        lambda: F.rms_norm(T.ones(2, 3), (4,)),
        lambda: F.rms_norm(T.ones(2, 3), (3,), T.ones(2)),
        lambda: F.rms_norm(T.ones(2, 3), ()),
    ):
        with pytest.raises(RuntimeError):
            call()


def test_repr() -> None:
    for make in (lambda T: T.nn.RMSNorm(3), lambda T: T.nn.RMSNorm((2, 3), 0.1, False)):
        assert repr(make(ndl)) == repr(make(torch))
