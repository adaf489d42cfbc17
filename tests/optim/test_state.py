"""An optimiser's state as a dictionary: PyTorch's form, exchanged with PyTorch, and resumed bit for bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
from ndl.optim import SGD, Adam, AdamW
from ndl.verify.training import OPTIMIZERS, make_optimizer, tolerance
from tests.optim.pair import Pair, assert_same, to_numpy, to_torch

SHAPES = [(2, 3), (4,), (), (100, 90)]
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def pair_of(name: str) -> Pair:
    return Pair(SHAPES, lambda T, params: make_optimizer(T, name, params))


@every_optimizer
def test_the_form_is_pytorchs(name: str) -> None:
    pair = pair_of(name)
    assert_same(to_numpy(pair.ours.state_dict()), to_numpy(pair.theirs.state_dict()))
    pair.step(3, missing=[1])
    assert_same(to_numpy(pair.ours.state_dict()), to_numpy(pair.theirs.state_dict()))


@every_optimizer
@pytest.mark.parametrize("convert", [lambda state: state, to_numpy], ids=["tensors", "arrays"])
def test_pytorchs_state_is_continued_here(name: str, convert: Any) -> None:
    pair = pair_of(name)
    pair.step(5, missing=[1])
    fresh = make_optimizer(ndl, name, pair.params[ndl])
    fresh.load_state_dict(convert(pair.theirs.state_dict()))
    pair.optimizers[ndl] = fresh
    pair.step(20)
    assert pair.error() <= tolerance(name)


@every_optimizer
def test_our_state_is_continued_by_pytorch(name: str) -> None:
    pair = pair_of(name)
    pair.step(5, missing=[1])
    fresh = make_optimizer(torch, name, pair.params[torch])
    fresh.load_state_dict(to_torch(to_numpy(pair.ours.state_dict())))
    pair.optimizers[torch] = fresh
    pair.step(20)
    # PyTorch makes μ's product and η float64 when it loads them; ours, and those it never saved, stay float32.
    assert pair.error() <= (1e-6 if name.startswith(("NAdam", "ASGD")) else tolerance(name))


@every_optimizer
def test_resuming_continues_bit_for_bit(name: str) -> None:
    pair = pair_of(name)
    pair.step(7)
    params = [ndl.nn.Parameter(p.detach().clone()) for p in pair.params[ndl]]
    resumed = make_optimizer(ndl, name, params)
    resumed.load_state_dict(copy.deepcopy(pair.ours.state_dict()))
    for _ in range(5):
        pair.set_gradients()
        for p, q in zip(params, pair.params[ndl]):
            p.grad = q.grad
        pair.ours.step(lambda: 1.0)
        resumed.step(lambda: 1.0)
    assert [p.tolist() for p in params] == [p.tolist() for p in pair.params[ndl]]


def test_what_is_loaded_is_a_copy() -> None:
    pair = pair_of("Adam")
    pair.step(2)
    saved = pair.ours.state_dict()
    fresh = make_optimizer(ndl, "Adam", pair.params[ndl])
    fresh.load_state_dict(saved)
    before = to_numpy(saved)
    pair.set_gradients()
    fresh.step()
    fresh.param_groups[0]["lr"] = 77
    assert_same(to_numpy(saved), before)
    assert "state" in saved and "param_groups" in saved


def test_the_state_takes_the_parameters_type_but_steps_keep_theirs() -> None:
    p = ndl.nn.Parameter(ndl.ones(3, dtype=ndl.float64))
    q = ndl.nn.Parameter(ndl.ones(3, dtype=ndl.float16))
    for parameter, other in ((p, q), (q, p)):
        parameter.grad = ndl.ones_like(parameter)
        source, target = Adam([parameter]), Adam([other])
        source.step()
        target.load_state_dict(source.state_dict())
        state = target.state[other]
        assert state["exp_avg"].dtype is other.dtype
        assert state["step"].dtype is ndl.float32


def test_old_states_count_in_python_numbers() -> None:
    p = ndl.nn.Parameter(ndl.ones(2))
    p.grad = ndl.ones(2)
    optimizer = Adam([p])
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0]["step"] = 1
    for option in ("maximize", "decoupled_weight_decay", "capturable"):
        del saved["param_groups"][0][option]
    other = Adam([p])
    other.load_state_dict(saved)
    other.step()
    assert other.state[p]["step"].item() == 2
    assert other.param_groups[0]["maximize"] is False


def test_adamw_stays_adamw_after_loading_a_state_of_adam() -> None:
    for T in (ndl, torch):
        p = T.nn.Parameter(T.ones(2))
        optimizer = T.optim.AdamW([p])
        optimizer.load_state_dict(T.optim.Adam([p], weight_decay=0.5).state_dict())
        assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
        assert optimizer.param_groups[0]["weight_decay"] == 0.5


def test_a_parameter_with_one_element_and_the_place_of_the_state() -> None:
    """State finds its parameter by its number, across groups of different sizes."""
    params = [ndl.nn.Parameter(ndl.ones(n)) for n in (1, 2, 3)]
    optimizer = SGD([{"params": params[:1]}, {"params": params[1:]}], lr=0.1, momentum=0.9)
    for p in params[1:]:
        p.grad = ndl.ones_like(p)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved["state"]) == [1, 2]
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1, 2]]
    assert tuple(saved["state"][2]["momentum_buffer"].shape) == (3,)


def test_states_that_do_not_fit_change_nothing() -> None:
    params = [ndl.nn.Parameter(ndl.ones(n)) for n in (2, 3)]
    optimizer = SGD(params, lr=0.1, momentum=0.9)
    for p in params:
        p.grad = ndl.ones_like(p)
    optimizer.step()
    before = to_numpy(optimizer.state_dict())

    def state(**changes: Any) -> dict:
        return {**copy.deepcopy(optimizer.state_dict()), **changes}

    groups = optimizer.state_dict()["param_groups"]
    refused = [
        (state(param_groups=[*groups, *groups]), ValueError, "different number of parameter groups: 2"),
        (state(param_groups=[{**groups[0], "params": [0]}]), ValueError, "doesn't match the size of optimizer's group"),
        ({"state": {}}, KeyError, "'param_groups' is missing"),
        ({"param_groups": groups}, KeyError, "'state' is missing"),
        (
            state(state={0: {"momentum_buffer": np.ones(3)}}),
            ValueError,
            r"'momentum_buffer' of parameter 0 has shape \[3\], but the parameter has shape \[2\]",
        ),
    ]
    for bad, error, message in refused:
        with pytest.raises(error, match=message):
            optimizer.load_state_dict(bad)
        assert_same(to_numpy(optimizer.state_dict()), before)


@pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
def test_hooks_of_the_state(T: Any) -> None:
    p = T.nn.Parameter(T.ones(2))
    optimizer = T.optim.SGD([p], lr=0.1)
    seen: list = []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    saved = optimizer.state_dict()
    assert seen == ["first", "second"] and saved["extra"] == 1

    def double(o: Any, state: dict) -> dict:
        return {**state, "param_groups": [{**g, "lr": g["lr"] * 2} for g in state["param_groups"]]}

    handle = optimizer.register_load_state_dict_pre_hook(double)
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(saved)
    handle.remove()
    optimizer.load_state_dict(saved)
    assert seen[2:] == [0.2, 0.1]


def test_names_are_kept_where_the_loaded_state_has_none() -> None:
    for T in (ndl, torch):
        p = T.nn.Parameter(T.ones(2))
        named, plain = T.optim.SGD([("w", p)], lr=0.1), T.optim.SGD([p], lr=0.3)
        named.load_state_dict(plain.state_dict())
        assert named.param_groups[0]["param_names"] == ["w"] and named.param_groups[0]["lr"] == 0.3
        plain.load_state_dict(named.state_dict())
        assert plain.param_groups[0]["param_names"] == ["w"]


def test_a_tensor_as_learning_rate_is_saved_as_a_copy() -> None:
    p = ndl.nn.Parameter(ndl.ones(2))
    lr = ndl.tensor(0.5)
    source, target = AdamW([p], lr=lr), AdamW([p], lr=0.1)
    target.load_state_dict(source.state_dict())
    lr.fill_(0.25)
    assert target.param_groups[0]["lr"].item() == 0.5
