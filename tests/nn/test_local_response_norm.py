"""The protocol for ``ndl.nn.local_response_norm``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.local_response_norm")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@LIBRARIES
def test_closed_form(T: Any) -> None:
    x = T.ones(1, 3, 1, requires_grad=True)
    y = T.nn.functional.local_response_norm(x, 2, alpha=2.0, beta=1.0, k=1.0)  # s = 1 + (number in the window)
    np.testing.assert_allclose(y.detach().numpy().ravel(), [1 / 2, 1 / 3, 1 / 3], rtol=1e-6)
    y = T.nn.functional.local_response_norm(x, 9, alpha=9.0, beta=1.0, k=0.0)
    np.testing.assert_allclose(y.detach().numpy().ravel(), [1 / 3] * 3, rtol=1e-6)


@LIBRARIES
def test_edges(T: Any) -> None:
    m = T.nn.LocalResponseNorm(3)
    assert m(T.ones(0, 3, 2)).shape == (0, 3, 2)
    with pytest.raises(ValueError, match="Expected 3D"):
        m(T.ones(2, 3))
    x = T.full((1, 2, 2), 1e4)
    assert T.nn.functional.local_response_norm(x, 2).isfinite().all()


def test_integers_are_refused() -> None:
    with pytest.raises(RuntimeError, match="floating-point"):
        ndl.nn.LocalResponseNorm(3)(ndl.ones(1, 2, 3, dtype=ndl.int64))


def test_repr() -> None:
    assert repr(ndl.nn.LocalResponseNorm(3, 0.1, k=2.0)) == repr(torch.nn.LocalResponseNorm(3, 0.1, k=2.0))
