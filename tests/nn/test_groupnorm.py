"""The protocol for ``ndl.nn.groupnorm``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.groupnorm")
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


SHAPES = [((4, 8, 6, 5), 0), ((4, 8, 6, 5), 1e4), ((2, 4, 70, 60), 0.5), ((30, 32), 0), ((8, 64, 32, 32), 0)]


@pytest.mark.parametrize("shape, mean", SHAPES)
def test_float32(shape: tuple[int, ...], mean: float) -> None:
    def run(T: Any, x: Any, draw: Any) -> Any:
        w, b = (T.from_numpy(draw(shape[1])).requires_grad_() for _ in range(2))
        return T.nn.functional.group_norm(x, 4, w, b), (w, b)

    float32_errors(shape, mean, run)


def test_memory_order_is_kept_and_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 9, 9, 12, 40)), rng.standard_normal((2, 9, 9, 12, 40))
    results = []
    for order in ("planes", "channels last"):
        a, d = (np.moveaxis(v, -1, 1) for v in (x, dy))
        if order == "planes":
            a, d = np.ascontiguousarray(a), np.ascontiguousarray(d)
        t = ndl.from_numpy(a).requires_grad_()
        m = ndl.nn.GroupNorm(5, 40, dtype=ndl.float64)
        y = m(t)
        y.backward(ndl.from_numpy(d))
        assert y.stride() == t.stride()
        results.append([v.detach().numpy() for v in (y, t.grad, m.weight.grad, m.bias.grad)])
    for p, q in zip(*results, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-10, atol=1e-12)


@LIBRARIES
def test_one_group_is_layer_norm_and_groups_of_one_are_instance_norm(T: Any) -> None:
    F = T.nn.functional
    x = T.arange(24.0).reshape(2, 3, 4) ** 1.5
    assert T.allclose(F.group_norm(x, 1), F.layer_norm(x, (3, 4)), atol=1e-5)
    assert T.allclose(F.group_norm(x, 3), F.instance_norm(x), atol=1e-5)


@LIBRARIES
def test_empty_twice_and_half(T: Any) -> None:
    m = T.nn.GroupNorm(2, 4)
    assert list(m.state_dict()) == ["weight", "bias"]
    assert list(T.nn.GroupNorm(2, 4, bias=False).state_dict()) == ["weight"]
    x = T.arange(8.0).reshape(1, 4, 2)
    (m(x) + m(2 * x)).sum().backward()
    np.testing.assert_allclose(m.bias.grad.numpy(), [4] * 4)
    y = T.nn.functional.group_norm(x.half(), 2)
    assert y.dtype == T.float16
    np.testing.assert_allclose(y.float().numpy(), m(x).detach().numpy(), atol=2e-3)
    assert m(T.ones(0, 4, 3)).shape == (0, 4, 3)


@LIBRARIES
def test_what_does_not_fit(T: Any) -> None:
    F = T.nn.functional
    with pytest.raises(ValueError, match="must be divisible"):
        T.nn.GroupNorm(3, 4)
    with pytest.raises(ValueError, match="more than 1 value"):
        F.group_norm(T.ones(1, 3), 3)
    for call in (
        lambda: F.group_norm(T.ones(3), 1),
        lambda: F.group_norm(T.ones(2, 4, 3), 3),
        lambda: F.group_norm(T.ones(2, 4, 3), 2, T.ones(2)),
        lambda: F.group_norm(T.ones(2, 4, 3), 2, None, T.ones(3)),
        lambda: F.group_norm(T.ones(2, 4, 3, dtype=T.int64), 2),
    ):
        with pytest.raises(RuntimeError):
            call()


def test_repr() -> None:
    for make in (lambda T: T.nn.GroupNorm(2, 4), lambda T: T.nn.GroupNorm(2, 4, 0.1, False, bias=False)):
        assert repr(make(ndl)) == repr(make(torch))
