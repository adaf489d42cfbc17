"""``cross`` and ``linalg.cross`` against PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.cross_product")
BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
# PyTorch's warnings: about a dim that is left out, once in a process
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@BOTH
def test_axes_and_types(T: Any) -> None:
    x, y, z = T.eye(3)
    assert T.equal(T.cross(x, y, 0), z) and T.equal(T.linalg.cross(y, z), x) and T.equal(z.cross(x, dim=-1), y)
    assert T.cross(T.tensor([1, 2, 3]), T.tensor([1, 0, 1]), dim=0).tolist() == [2, 2, -2]
    assert T.linalg.cross(T.ones(2, 1, 3), T.ones(1, 4, 3)).shape == (2, 4, 3)
    assert T.linalg.cross(T.ones(0, 3), T.ones(0, 3)).shape == (0, 3)
    same = T.tensor([1.0, 2.0, 3.0], requires_grad=True)
    T.linalg.cross(same, same)[0].backward()
    assert same.grad.tolist() == [0, 0, 0]


@BOTH
def test_vectors_of_another_length(T: Any) -> None:
    for call, error, words in (
        (lambda: T.cross(T.ones(2, 2), T.ones(2, 2)), RuntimeError, "no dimension of size 3 in input"),
        (lambda: T.linalg.cross(T.ones(2), T.ones(2)), RuntimeError, "dimension -1 must have length 3. Got 2 and 2"),
        (lambda: T.linalg.cross(T.ones(3), T.ones(1, 3)), RuntimeError, "same number of dimensions"),
        (lambda: T.cross(T.ones(3), T.ones(3), dim=5), IndexError, "Dimension out of range"),
        (lambda: T.linalg.cross(T.ones(3), 3), TypeError, "must be Tensor, not int"),
        (lambda: T.linalg.cross(T.ones(3).double(), T.ones(3)), RuntimeError, "expected"),
    ):
        with pytest.raises(error, match=f"(?i){words}"):
            call()
