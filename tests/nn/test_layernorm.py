"""The protocol for ``ndl.nn.layernorm``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.layernorm")
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
        w, b = (T.from_numpy(draw(shape[-1])).requires_grad_() for _ in range(2))
        return T.nn.functional.layer_norm(x, shape[-1:], w, b), (w, b)

    float32_errors(shape, mean, run)


def test_large_arrays_go_through_tiles_and_threads() -> None:
    x = np.random.default_rng(0).standard_normal((3000, 100))
    outputs = []
    for T in (ndl, torch):
        t = T.from_numpy(x).requires_grad_()
        m = T.nn.LayerNorm(100, dtype=T.float64)
        y = m(t)
        (y**3).sum().backward()
        outputs.append([v.detach().numpy() for v in (y, t.grad, m.weight.grad, m.bias.grad)])
    for a, b in zip(*outputs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@LIBRARIES
def test_closed_form(T: Any) -> None:
    y = T.nn.functional.layer_norm(T.tensor([[-1.0, 1.0], [3.0, 3.0]]), (2,), eps=0.0)
    assert y[0].tolist() == [-1, 1] and y[1].isnan().all()
    m = T.nn.LayerNorm(4)
    assert m.weight.tolist() == [1] * 4 and m.bias.tolist() == [0] * 4 and list(m.state_dict()) == ["weight", "bias"]
    assert list(T.nn.LayerNorm(4, bias=False).state_dict()) == ["weight"]
    assert list(T.nn.LayerNorm(4, elementwise_affine=False).state_dict()) == []


@LIBRARIES
def test_rows_that_are_not_finite_leave_the_others_alone(T: Any) -> None:
    x = T.tensor([[1.0, 2.0, 4.0], [float("nan"), 1.0, 2.0], [float("inf"), 1.0, 2.0], [1e4, 1e4 + 1, -1e4]])
    y = T.nn.functional.layer_norm(x, (3,))
    assert y[1].isnan().all() and y[2].isnan().any()
    expected = torch.nn.functional.layer_norm(torch.tensor([[1.0, 2.0, 4.0], [1e4, 1e4 + 1, -1e4]]), (3,))
    np.testing.assert_allclose(y[::3].numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


@LIBRARIES
@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (3,), (1, 1), (2, 1, 3)])
def test_small_and_empty(T: Any, shape: tuple[int, ...]) -> None:
    x = T.ones(shape, requires_grad=True)
    m = T.nn.LayerNorm(shape[-1])
    m(x).sum().backward()
    assert x.grad.shape == shape and (x.grad == 0).all() and m.weight.grad.shape == (shape[-1],)


@LIBRARIES
def test_used_twice_and_half_precision(T: Any) -> None:
    m = T.nn.LayerNorm(3)
    x = T.tensor([[1.0, 2.0, 5.0]])
    (m(x) + m(2 * x)).sum().backward()
    assert m.bias.grad.tolist() == [2, 2, 2]
    y = T.nn.functional.layer_norm(x.half(), (3,))
    assert y.dtype == T.float16
    np.testing.assert_allclose(y.float().numpy(), m(x).detach().numpy(), atol=2e-3)


@LIBRARIES
def test_what_does_not_fit(T: Any) -> None:
    F = T.nn.functional
    for call, words in (
        (lambda: F.layer_norm(T.ones(2, 3), (4,)), "Given normalized_shape"),
        (lambda: F.layer_norm(T.ones(3), (2, 3)), "Given normalized_shape"),
        (lambda: F.layer_norm(T.ones(2, 3), (3,), T.ones(2)), "weight"),
        (lambda: F.layer_norm(T.ones(2, 3), (3,), None, T.ones(2)), "bias"),
        (lambda: F.layer_norm(T.ones(2, 3), ()), "normalized_shape"),
        (lambda: F.layer_norm(T.ones(2, 3, dtype=T.int64), (3,)), None),
        (lambda: F.layer_norm(T.ones(2, 3), (3,), T.ones(3, dtype=T.float64)), None),
    ):
        with pytest.raises(RuntimeError, match=words):
            call()
    with pytest.raises(TypeError):
        F.layer_norm(T.ones(2, 3), 3)


def test_repr() -> None:
    for make in (
        lambda T: T.nn.LayerNorm(3),
        lambda T: T.nn.LayerNorm((2, 3), eps=0.1, elementwise_affine=False),
        lambda T: T.nn.LayerNorm([4], bias=False),
    ):
        assert repr(make(ndl)) == repr(make(torch))
