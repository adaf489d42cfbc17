"""``functional_call``, against PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.utils.stateless")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@LIBRARIES
def test_the_module_keeps_its_own(T: Any) -> None:
    model = T.nn.Linear(2, 1)
    own = model.weight
    W = T.ones(1, 2, requires_grad=True)
    T.func.functional_call(model, {"weight": W}, T.ones(3, 2)).sum().backward()
    assert model.weight is own and own.grad is None and W.grad.tolist() == [[3, 3]] and model.bias.grad.item() == 3
    with pytest.raises(RuntimeError):
        T.func.functional_call(model, {"weight": W}, T.ones(3, 5))
    assert model.weight is own


@LIBRARIES
def test_buffers_that_are_written(T: Any) -> None:
    model = T.nn.BatchNorm1d(2, momentum=0.5)
    given = {name: b.clone() for name, b in model.named_buffers()}
    T.func.functional_call(model, given, T.ones(4, 2))
    assert model.running_mean.tolist() == [0, 0] and model.num_batches_tracked == 0
    assert given["running_mean"].tolist() == [0.5, 0.5] and given["num_batches_tracked"] == 1


@LIBRARIES
def test_layers_with_several_weights(T: Any) -> None:
    T.manual_seed(0)
    model = T.nn.LSTM(2, 3)
    x = T.ones(4, 1, 2)
    doubled = {name: 2 * p for name, p in model.named_parameters()}
    y, _ = T.func.functional_call(model, doubled, (x, None))
    for p in model.parameters():
        p.data.mul_(2)
    assert T.allclose(y, model(x)[0])


@LIBRARIES
def test_names_that_do_not_fit(T: Any) -> None:
    model = T.nn.Sequential(T.nn.Linear(2, 2), T.nn.Linear(2, 2))
    model[1].weight = model[0].weight
    call, x = T.func.functional_call, T.ones(1, 2)
    with pytest.raises(RuntimeError, match=r"0\.bias"):
        call(model, {"0.weight": T.ones(2, 2)}, x, strict=True)
    with pytest.raises(RuntimeError, match="nothing"):
        call(model, {**dict(model.named_parameters(remove_duplicate=False)), "nothing": x}, x, strict=True)
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        call(model, ({"0.weight": T.ones(2, 2)}, {"0.weight": T.ones(2, 2)}), x)
    with pytest.raises(ValueError, match=r"0\.weight"):
        call(model, {"0.weight": T.ones(2, 2), "1.weight": T.zeros(2, 2)}, x)
    with pytest.raises(ValueError, match="dict"):
        call(model, 3, x)
    with pytest.raises(RuntimeError, match="DataParallel"):
        call(T.nn.DataParallel(model), {}, x)
