"""What a module's state can be made to do, and the places and switches of ``Module`` that few programs use."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import ndl

LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def counter(T: Any) -> Any:
    class Counter(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = T.nn.Linear(1, 1)
            self.seen = 0

        def get_extra_state(self) -> Any:
            return {"seen": self.seen}

        def set_extra_state(self, state: Any) -> None:
            self.seen = state["seen"]

    return Counter()


@LIBRARIES
def test_extra_state(T: Any) -> None:
    a, b = T.nn.Sequential(counter(T)), T.nn.Sequential(counter(T))
    a[0].seen = 7
    state = a.state_dict()
    assert list(state) == ["0._extra_state", "0.linear.weight", "0.linear.bias"] or "0._extra_state" in state
    assert str(b.load_state_dict(state)) == "<All keys matched successfully>" and b[0].seen == 7
    del state["0._extra_state"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state"'):
        b.load_state_dict(state)
    plain = T.nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        plain.load_state_dict({**plain.state_dict(), "_extra_state": 1})
    with pytest.raises(RuntimeError, match="should never be called"):
        plain.get_extra_state()


def test_a_refused_state_sets_no_extra_state() -> None:
    a = counter(ndl)
    state = {**a.state_dict(), "_extra_state": {"seen": 3}, "linear.weight": ndl.zeros(5)}
    with pytest.raises(RuntimeError, match="size mismatch"):
        a.load_state_dict(state)
    assert a.seen == 0


@LIBRARIES
def test_modules_that_read_their_own_state(T: Any) -> None:
    class Renamed(T.nn.Linear):
        def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
            if prefix + "w" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
            super()._load_from_state_dict(state_dict, prefix, *rest)

        def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "w"] = destination.pop(prefix + "weight")

    net = T.nn.Sequential(Renamed(2, 2))
    state = net.state_dict()
    assert sorted(state) == ["0.bias", "0.w"]
    state["0.w"] = T.ones(2, 2)
    net.load_state_dict(state)
    assert (net[0].weight == 1).all() and "0.w" in state


@LIBRARIES
def test_state_hooks(T: Any) -> None:
    m = T.nn.Linear(1, 1)
    calls = []
    m.register_state_dict_pre_hook(lambda mod, prefix, keep_vars: calls.append(("pre", prefix)))
    m._register_state_dict_hook(lambda mod, state, prefix, meta: calls.append(("post", prefix)))
    m.register_load_state_dict_pre_hook(lambda mod, state, prefix, *rest: state.pop("more", None))
    m._register_load_state_dict_pre_hook(lambda state, prefix, *rest: calls.append(("load", prefix)))
    state = m.state_dict(prefix="a.")
    assert calls == [("pre", "a."), ("post", "a.")] and list(state) == ["a.weight", "a.bias"]
    m.load_state_dict({**m.state_dict(), "more": T.zeros(1)})
    assert calls[-1] == ("load", "")


@LIBRARIES
def test_assign_takes_the_tensors_themselves(T: Any) -> None:
    m = T.nn.BatchNorm1d(2)
    w, mean = T.nn.Parameter(T.zeros(2)), T.ones(2)
    m.load_state_dict({**m.state_dict(), "weight": w, "running_mean": mean}, assign=True)
    assert m.weight is w and m.running_mean is mean and m.bias.requires_grad


@LIBRARIES
def test_set_submodule(T: Any) -> None:
    net = T.nn.Sequential(T.nn.Linear(1, 1), T.nn.Sequential(T.nn.ReLU()))
    net.set_submodule("1.0", T.nn.Tanh())
    net.set_submodule("1.new", T.nn.ReLU())
    assert isinstance(net[1][0], T.nn.Tanh) and isinstance(net.get_submodule("1.new"), T.nn.ReLU)
    for target, module, error in (
        ("", T.nn.ReLU(), ValueError),
        ("0", 3, ValueError),
        ("0.weight", T.nn.ReLU(), AttributeError),
        ("9.a", T.nn.ReLU(), AttributeError),
    ):
        with pytest.raises(error):
            net.set_submodule(target, module)
    with pytest.raises(AttributeError, match="no attribute"):
        net.set_submodule("1.other", T.nn.ReLU(), strict=True)


def test_what_other_machines_have() -> None:
    m = ndl.nn.Linear(1, 1)
    assert m.compile() is m
    with pytest.raises(RuntimeError, match="between processes"):
        m.share_memory()


@LIBRARIES
def test_pytorchs_places_for_modules(T: Any) -> None:
    assert T.nn.modules.Linear is T.nn.Linear and T.nn.modules.module.Module is T.nn.Module
    assert T.nn.modules.conv.Conv2d is T.nn.Conv2d and T.nn.modules.container.Sequential is T.nn.Sequential
    assert T.nn.modules.normalization.LayerNorm is T.nn.LayerNorm and T.nn.modules.loss.MSELoss is T.nn.MSELoss
    assert isinstance(T.nn.BatchNorm2d(1), T.nn.modules.batchnorm._BatchNorm)
    assert isinstance(T.nn.Conv1d(1, 1, 1), T.nn.modules.conv._ConvNd)
    assert issubclass(T.nn.InstanceNorm1d, T.nn.modules.instancenorm._InstanceNorm)


def test_a_state_knows_the_versions_of_its_parts() -> None:
    found = []
    for T in (ndl, torch):
        model = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.Sequential(T.nn.BatchNorm1d(3), T.nn.InstanceNorm1d(3)))
        wrapped = T.nn.DataParallel(model).state_dict()
        found.append([model.state_dict()._metadata, copy.deepcopy(wrapped._metadata)])
        T.nn.modules.utils.consume_prefix_in_state_dict_if_present(wrapped, "module.")
        found[-1].append(wrapped._metadata)
        assert not hasattr(dict(wrapped), "_metadata") and model.load_state_dict(wrapped).missing_keys == []
    assert found[0] == found[1]


@pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
def test_states_from_before_batches_were_counted(T: Any) -> None:
    for norm in (T.nn.BatchNorm2d(2), T.nn.InstanceNorm2d(2, track_running_stats=True)):
        norm(T.ones(2, 2, 3, 3))
        state, counted = norm.state_dict(), norm.num_batches_tracked.item()
        del state["num_batches_tracked"]
        with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "num_batches_tracked"'):
            norm.load_state_dict(state)
        assert norm.load_state_dict(dict(state)).missing_keys == [] and norm.num_batches_tracked == counted
        state._metadata[""]["version"] = 1
        assert norm.load_state_dict(state).missing_keys == []


@pytest.mark.parametrize(("writer", "reader"), [(ndl, torch), (torch, ndl), (ndl, ndl)])
def test_versions_are_in_the_files(writer: Any, reader: Any, tmp_path: Any) -> None:
    state = writer.nn.BatchNorm1d(2).state_dict()
    writer.save(state, tmp_path / "state.pt")
    assert reader.load(tmp_path / "state.pt")._metadata == state._metadata
