"""Averaged models against PyTorch and against the means they stand for; update_bn; SWALR's errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
import ndl.optim
from ndl.verify.parity import relative_error

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def make_model(T: Any) -> Any:
    rng = np.random.default_rng(0)
    model = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4), T.nn.ReLU(), T.nn.Linear(4, 2)).double()
    with T.no_grad():
        for p in model.parameters():
            p.copy_(T.from_numpy(rng.standard_normal(tuple(p.shape))))
    return model


def train(T: Any, averaged: Any, model: Any, steps: int = 6) -> list[dict[str, np.ndarray]]:
    """Steps of SGD with averaging after each; the model's states on the way."""
    rng = np.random.default_rng(1)
    optimizer = T.optim.SGD(model.parameters(), lr=0.3)
    states = []
    for _ in range(steps):
        optimizer.zero_grad()
        model(T.from_numpy(rng.standard_normal((5, 3)))).pow(2).sum().backward()
        optimizer.step()
        averaged.update_parameters(model)
        states.append({k: np.array(v.detach().numpy()) for k, v in model.state_dict().items()})
    return states


FUNCTIONS = {
    "mean": lambda U: {},
    "SWA one": lambda U: {"avg_fn": U.get_swa_avg_fn()},
    "SWA all": lambda U: {"multi_avg_fn": U.get_swa_multi_avg_fn()},
    "EMA one": lambda U: {"avg_fn": U.get_ema_avg_fn(0.7)},
    "EMA all": lambda U: {"multi_avg_fn": U.get_ema_multi_avg_fn(0.7)},
    "own": lambda U: {"avg_fn": lambda a, theta, n: 0.5 * a + 0.5 * theta + n * 0},
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("use_buffers", [False, True])
def test_equal_to_pytorch(name: str, use_buffers: bool) -> None:
    if use_buffers and name == "SWA all":
        pytest.skip("PyTorch cannot divide the integer count of batches there")
    states = []
    for T in (ndl, torch):
        U, model = T.optim.swa_utils, make_model(T)
        averaged = U.AveragedModel(model, use_buffers=use_buffers, **FUNCTIONS[name](U))
        train(T, averaged, model)
        states.append({k: v.detach().numpy() for k, v in averaged.state_dict().items()})
    ours, theirs = states
    assert list(ours) == list(theirs)
    for k, v in theirs.items():
        assert ours[k].dtype == v.dtype and relative_error(ours[k], v) <= 1e-12, k


def test_swa_is_the_mean_and_ema_forgets() -> None:
    model = make_model(ndl)
    U = ndl.optim.swa_utils
    averaged = U.AveragedModel(model)
    states = train(ndl, averaged, model)
    mean = np.mean([s["0.weight"] for s in states], 0)
    assert relative_error(averaged.module[0].weight.detach().numpy(), mean) <= 1e-14
    assert averaged.n_averaged.item() == 6
    model = make_model(ndl)
    averaged = U.AveragedModel(model, multi_avg_fn=U.get_ema_multi_avg_fn(0.9))
    states = [s["0.weight"] for s in train(ndl, averaged, model)]
    expected = states[0]
    for theta in states[1:]:
        expected = 0.9 * expected + 0.1 * theta
    assert relative_error(averaged.module[0].weight.detach().numpy(), expected) <= 1e-14


@BOTH
def test_the_copy_is_its_own(T: Any) -> None:
    model = make_model(T)
    averaged = T.optim.swa_utils.AveragedModel(model, device="cpu")
    x = T.ones(2, 3, dtype=T.float64)
    averaged.eval(), model.eval()
    assert averaged(x).tolist() == model(x).tolist()
    before = averaged.module[0].weight.tolist()
    train(T, T.optim.swa_utils.AveragedModel(model), model, 1)
    assert averaged.module[0].weight.tolist() == before
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        T.optim.swa_utils.AveragedModel(model, avg_fn=abs, multi_avg_fn=abs)


def test_saved_and_resumed() -> None:
    model = make_model(ndl)
    averaged = ndl.optim.swa_utils.AveragedModel(model)
    train(ndl, averaged, model, 3)
    other = ndl.optim.swa_utils.AveragedModel(model)
    other.load_state_dict(copy.deepcopy(averaged.state_dict()))
    theirs = torch.optim.swa_utils.AveragedModel(make_model(torch))
    theirs.load_state_dict({k: torch.tensor(v.detach().numpy()) for k, v in averaged.state_dict().items()})
    for a in (averaged, other):
        a.update_parameters(model)
    assert averaged.module[0].weight.tolist() == other.module[0].weight.tolist()
    assert theirs.n_averaged == 3


@pytest.mark.parametrize("pairs", [False, True])
def test_update_bn(pairs: bool) -> None:
    rng = np.random.default_rng(2)
    batches = [rng.standard_normal((5, 3)) * (i + 1) for i in range(4)]
    found = []
    for T in (ndl, torch):
        model = make_model(T).eval()
        loader = [T.from_numpy(b.copy()) for b in batches]
        T.optim.swa_utils.update_bn([(b, 0) for b in loader] if pairs else loader, model, device="cpu")
        assert not model.training and model[1].momentum == 0.1
        found.append((model[1].running_mean.numpy(), model[1].running_var.numpy(), model[1].num_batches_tracked.item()))
    assert relative_error(found[0][0], found[1][0]) <= 1e-13
    assert relative_error(found[0][1], found[1][1]) <= 1e-13
    assert found[0][2] == found[1][2] == 4


def test_update_bn_of_a_model_without_it_reads_no_data() -> None:
    ndl.optim.swa_utils.update_bn(iter([]), ndl.nn.Linear(2, 2))


@BOTH
def test_refused(T: Any) -> None:
    U = T.optim.swa_utils
    optimizer = T.optim.SGD([T.nn.Parameter(T.zeros(1))], lr=0.1)
    for make in (U.get_ema_avg_fn, U.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"Invalid decay value 1\.5"):
            make(1.5)
    for options, message in (
        ({"anneal_strategy": "exp"}, "anneal_strategy must be one of 'cos' or 'linear'"),
        ({"anneal_epochs": -1}, "anneal_epochs must be equal or greater than 0"),
        ({"anneal_epochs": 1.5}, "anneal_epochs must be equal or greater than 0"),
    ):
        with pytest.raises(ValueError, match=message):
            U.SWALR(optimizer, 0.1, **options)
    with pytest.raises(ValueError, match="swa_lr must have the same length"):
        U.SWALR(optimizer, [0.1, 0.2])


@BOTH
def test_no_annealing(T: Any) -> None:
    optimizer = T.optim.SGD([T.nn.Parameter(T.zeros(1))], lr=0.1)
    schedule = T.optim.swa_utils.SWALR(optimizer, 0.02, anneal_epochs=0)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.02)
