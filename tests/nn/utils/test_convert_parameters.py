"""The protocol for ``ndl.nn.utils.convert_parameters``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.utils.convert_parameters")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@LIBRARIES
def test_vectors(T: Any) -> None:
    model = T.nn.Linear(3, 2)
    v = T.nn.utils.parameters_to_vector(model.parameters())
    assert v.shape == (8,) and v.requires_grad
    T.nn.utils.vector_to_parameters(v.detach() * 0 + 1, model.parameters())
    assert (model.weight == 1).all() and (model.bias == 1).all() and model.weight.requires_grad
    with pytest.raises(TypeError, match="expected"):
        T.nn.utils.vector_to_parameters([1.0], model.parameters())
    with pytest.raises(RuntimeError):
        T.nn.utils.vector_to_parameters(T.ones(5), model.parameters())
