"""``nn.DataParallel`` where there is one CPU, against PyTorch's without a GPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl
import ndl.nn.parallel
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.parallel")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def test_it_prints_and_saves_as_pytorchs() -> None:
    ours, theirs = (T.nn.DataParallel(T.nn.Linear(2, 3), device_ids=None, dim=0) for T in (ndl, torch))
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.device_ids == theirs.device_ids == []


@LIBRARIES
def test_a_state_with_and_without_the_prefix(T: Any) -> None:
    model = T.nn.Linear(2, 3)
    state = T.nn.DataParallel(model).state_dict()
    with pytest.raises(RuntimeError, match=r"(?s)Missing key.*Unexpected key"):
        model.load_state_dict(state)
    T.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == ["weight", "bias"] and model.load_state_dict(state).missing_keys == []


def test_arguments_go_to_the_module() -> None:
    class Sum(ndl.nn.Module):
        def forward(self, x: Any, y: Any, scale: float = 1.0) -> Any:
            return (x + y) * scale

    x = ndl.ones(2)
    assert ndl.nn.DataParallel(Sum())(x, x, scale=2.0).tolist() == [4, 4]
    assert ndl.nn.parallel.data_parallel(Sum(), (x, x), module_kwargs={"scale": 3.0}).tolist() == [6, 6]
    assert ndl.nn.parallel.data_parallel(ndl.nn.Identity(), x) is x


def test_what_is_not_here_says_so() -> None:
    with pytest.raises(RuntimeError, match="Use the Linear itself"):
        ndl.nn.parallel.DistributedDataParallel(ndl.nn.Linear(1, 1))


def test_helpers_of_layers_of_ones_own() -> None:
    for T in (ndl, torch):
        u = T.nn.modules.utils
        assert u._pair(3) == u._pair([3, 3]) == (3, 3) and u._triple("abc") == ("a", "b", "c")
        assert u._single(2) == (2,) and u._quadruple(1) == (1,) * 4 and u._ntuple(5, "five").__name__ == "five"
        assert u._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1) and u._pair.__name__ == "_pair"
