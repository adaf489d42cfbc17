"""The protocol for ``ndl.nn.utils.clip_grad``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.utils.clip_grad")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def parameter(T: Any, *grad: float) -> Any:
    p = T.nn.Parameter(T.zeros(len(grad)))
    p.grad = T.tensor(grad)
    return p


@LIBRARIES
def test_a_norm_of_five_is_clipped_to_one(T: Any) -> None:
    p = parameter(T, 3.0, -4.0)
    assert T.nn.utils.clip_grad_norm_(p, 1.0).item() == 5
    np.testing.assert_allclose(p.grad.numpy(), [0.6, -0.8], rtol=1e-6)
    assert T.nn.utils.clip_grad_norm_([p], 2.0, foreach=False).item() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(p.grad.numpy(), [0.6, -0.8], rtol=1e-6)


@LIBRARIES
def test_nothing_to_clip(T: Any) -> None:
    assert T.nn.utils.clip_grad_norm_([], 1.0).item() == 0
    assert T.nn.utils.clip_grad_norm_([T.nn.Parameter(T.zeros(2))], 1.0).item() == 0
    with pytest.warns(UserWarning, match="empty generator"):
        T.nn.utils.clip_grad_norm_((p for p in []), 1.0)


@LIBRARIES
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_not_finite(T: Any, bad: float) -> None:
    p, q = parameter(T, 1.0, bad), parameter(T, 2.0)
    with pytest.raises(RuntimeError, match="non-finite"):
        T.nn.utils.clip_grad_norm_([p, q], 1.0, error_if_nonfinite=True)
    assert q.grad.item() == 2
    T.nn.utils.clip_grad_norm_([p, q], 1.0)
    np.testing.assert_array_equal(q.grad.numpy(), [np.nan if np.isnan(bad) else 0])


def test_many_float32_numbers_keep_their_digits() -> None:
    g = np.random.default_rng(0).standard_normal(300_001).astype(np.float32)
    p = ndl.nn.Parameter(ndl.zeros(g.size))
    p.grad = ndl.from_numpy(g.copy())
    exact = np.linalg.norm(g.astype(np.float64))
    assert ndl.nn.utils.clip_grad_norm_(p, 1.0).item() == pytest.approx(exact, rel=3e-7)
    assert np.linalg.norm(p.grad.numpy().astype(np.float64)) == pytest.approx(1, rel=1e-5)


def test_in_place_means_that_the_graph_notices() -> None:
    x = ndl.ones(3, requires_grad=True)
    y = x * 2
    g = y.detach()
    x.grad = g
    z = y * y
    ndl.nn.utils.clip_grad_value_(x, 0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()
