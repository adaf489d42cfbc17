"""The protocol for ``ndl.ops.selection``, and its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.selection")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@LIBRARIES
def test_the_branch_not_taken_does_not_spoil_the_gradient(T: Any) -> None:
    x = T.tensor([-1.0, 4.0], requires_grad=True)
    T.where(x > 0, x.clamp(min=0).sqrt(), 0.0)[1].backward()
    assert x.grad.tolist() == [0.0, 0.25]


@LIBRARIES
def test_types(T: Any) -> None:
    c = T.tensor([True, False])
    assert T.where(c, T.tensor([1, 2]), T.tensor([0.5, 0.5])).dtype == T.float32
    assert T.where(c, 1, 2).dtype == T.int64


@LIBRARIES
def test_errors(T: Any) -> None:
    with pytest.raises(RuntimeError, match="bool"):
        T.where(T.zeros(2), T.zeros(2), T.zeros(2))
    with pytest.raises(RuntimeError):
        T.where(T.ones(2, dtype=T.bool), T.zeros(3), T.zeros(4))


def test_on_arrays() -> None:
    z = ndl.where(np.array([True, False]), np.array([1.0, 2.0]), 0.0)
    assert type(z) is np.ndarray and z.tolist() == [1.0, 0.0]
