"""Adamax to ASGD, the rules that treat every element alike: against PyTorch over all options, and at their edges."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ndl
import ndl.nn
from ndl.optim import ASGD, Adagrad, Adamax, RAdam, RMSprop, Rprop
from ndl.verify.parity import relative_error
from tests.optim.pair import Pair, assert_same, to_numpy

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])

lr = st.sampled_from([0.0, 1e-3, 0.1, 1])
betas = st.tuples(st.sampled_from([0.0, 0.2, 0.9]), st.sampled_from([0.5, 0.999]))
eps = st.sampled_from([1e-8, 1e-2])
decay = st.sampled_from([0, 0.1, 0.7])
yes = st.booleans()
momenta = st.sampled_from([0, 0.9])

OPTIONS: dict[str, dict[str, Any]] = {
    "Adamax": {"betas": betas, "eps": eps, "weight_decay": decay},
    "NAdam": {
        "betas": betas,
        "eps": eps,
        "weight_decay": decay,
        "momentum_decay": st.sampled_from([0, 4e-3, 0.5]),
        "decoupled_weight_decay": yes,
    },
    "RAdam": {"betas": betas, "eps": eps, "weight_decay": decay, "decoupled_weight_decay": yes},
    "Adagrad": {"lr_decay": decay, "weight_decay": decay, "initial_accumulator_value": decay, "eps": eps},
    "Adadelta": {"rho": st.sampled_from([0.0, 0.9, 1.0]), "eps": eps, "weight_decay": decay},
    "RMSprop": {
        "alpha": st.sampled_from([0.3, 0.99]),
        "eps": st.sampled_from([1e-2]),
        "weight_decay": decay,
        "momentum": momenta,
        "centered": yes,
    },
    "Rprop": {"etas": st.sampled_from([(0.5, 1.2), (0.1, 3.0)]), "step_sizes": st.sampled_from([(1e-6, 50), (0.1, 1)])},
    "ASGD": {
        "lambd": st.sampled_from([1e-4, 0.3]),
        "alpha": st.sampled_from([0.75, 1.0]),
        "t0": st.sampled_from([0, 30, 1e6]),
        "weight_decay": decay,
    },
}
every_rule = pytest.mark.parametrize("name", OPTIONS)
shapes = st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=4)


@every_rule
@settings(max_examples=15)
@given(st.data())
def test_100_steps_equal_pytorch(name: str, data: st.DataObject) -> None:
    chosen = {"lr": data.draw(lr), "maximize": data.draw(yes)}
    chosen |= {option: data.draw(values, label=option) for option, values in OPTIONS[name].items()}
    # Weights that grow a hundredfold with each step, or whose gradient is divided by itself, show rounding alone.
    assume(not (name in ("ASGD", "RMSprop") and chosen["lr"] == 1))
    pair = Pair(
        data.draw(shapes),
        lambda T, params: getattr(T.optim, name)(params, **chosen),
        seed=data.draw(st.integers(0, 99)),
    )
    pair.step(50)
    pair.step(10, missing=[0])
    pair.step(40)
    assert pair.error() <= 1e-11
    ours, theirs = [to_numpy(optimizer.state_dict()) for optimizer in (pair.ours, pair.theirs)]
    assert_same(ours["param_groups"], theirs["param_groups"])
    for i, remembered in theirs["state"].items():
        for key, value in remembered.items():
            assert relative_error(ours["state"][i][key], value) <= 1e-9, key


@every_rule
def test_arguments_are_pytorchs(name: str) -> None:
    """Same names, order, kinds and defaults, and the options of a group in the same order."""
    ours, theirs = [list(inspect.signature(getattr(T.optim, name)).parameters.values()) for T in (ndl, torch)]
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
    pair = Pair([(2,)], lambda T, params: getattr(T.optim, name)(params))
    assert list(pair.ours.param_groups[0]) == list(pair.theirs.param_groups[0])
    assert repr(pair.ours) == repr(pair.theirs)


@every_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tensor_as_learning_rate(name: str, dtype: str) -> None:
    def make(T: Any, params: list) -> Any:
        return getattr(T.optim, name)(params, lr=T.tensor(0.1, dtype=getattr(T, dtype)))

    pair = Pair([(3, 2)], make)
    pair.step(10)
    assert pair.error() <= (1e-12 if dtype == "float64" else 1e-6)


@every_rule
def test_differentiable_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="differentiable=True is not here"):
        getattr(ndl.optim, name)([ndl.nn.Parameter(ndl.ones(2))], differentiable=True)


@BOTH
@every_rule
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("lr", -1, "Invalid learning rate: -1"),
        ("eps", -1e-8, "Invalid epsilon value: -1e-08"),
        ("betas", (1.0, 0.9), "Invalid beta parameter at index 0: 1.0"),
        ("betas", (0.9, -0.1), "Invalid beta parameter at index 1: -0.1"),
        ("weight_decay", -1, "Invalid weight_decay value: -1"),
        ("momentum_decay", -1, "Invalid momentum_decay value: -1"),
        ("lr_decay", -1, "Invalid lr_decay value: -1"),
        ("initial_accumulator_value", -1, "Invalid initial_accumulator_value value: -1"),
        ("rho", 1.5, "Invalid rho value: 1.5"),
        ("momentum", -1, "Invalid momentum value: -1"),
        ("alpha", -1, "Invalid alpha value: -1"),
        ("etas", (1.5, 1.2), "Invalid eta values: 1.5, 1.2"),
    ],
)
def test_refused_options(T: Any, name: str, option: str, value: Any, message: str) -> None:
    rule = getattr(T.optim, name)
    if option not in inspect.signature(rule).parameters or (name, option) == ("ASGD", "alpha"):
        return
    with pytest.raises(ValueError, match=message):
        rule([T.nn.Parameter(T.ones(2))], **{option: value})


def one_weight(rule: Any, gradients: list[float], start: float = 2.0, **options: Any) -> float:
    p = ndl.nn.Parameter(ndl.tensor([start], dtype=ndl.float64))
    optimizer = rule([p], **options)
    for g in gradients:
        p.grad = ndl.tensor([g], dtype=ndl.float64)
        optimizer.step()
    return p.item()


def test_adamax_with_numbers() -> None:
    """g = 4, then 0: u keeps 0.9 of the largest, m halves."""
    theta = 2 - 0.1 / (1 - 0.5) * (0.5 * 4) / 4
    theta -= 0.1 / (1 - 0.25) * (0.5 * 2) / (0.9 * 4)
    assert one_weight(Adamax, [4, 0], lr=0.1, betas=(0.5, 0.9), eps=0.0) == pytest.approx(theta, rel=1e-14)


def test_adagrad_steps_fall_with_the_root_of_their_number() -> None:
    """Constant gradients: sₜ = t g², a step is γ / √t."""
    expected = 2 - 0.1 * sum(t**-0.5 for t in range(1, 11))
    assert one_weight(Adagrad, [7.0] * 10, lr=0.1, eps=0.0) == pytest.approx(expected, rel=1e-13)


def test_radam_begins_as_momentum_and_ends_as_adam() -> None:
    """ρₜ ≤ 5 for the first five steps with β₂ = 0.999: m̂ of constant gradients is the gradient itself."""
    assert one_weight(RAdam, [3.0] * 5, lr=0.1) == pytest.approx(2 - 0.1 * 3 * 5, rel=1e-13)
    last = one_weight(RAdam, [3.0] * 20000, lr=0.1) - one_weight(RAdam, [3.0] * 19999, lr=0.1)
    assert last == pytest.approx(-0.1, rel=1e-3)


def test_rmsprops_first_step() -> None:
    """g / √((1 − α) g²) = ±10 for α = 0.99."""
    assert one_weight(RMSprop, [-0.3], lr=0.01, eps=0.0) == pytest.approx(2 + 0.1, rel=1e-12)


def test_rprop_with_numbers() -> None:
    """Two steps down, a turn that waits, a fresh start with half the step, which then grows again."""
    p = ndl.nn.Parameter(ndl.tensor([2.0], dtype=ndl.float64))
    optimizer, seen = Rprop([p], lr=0.1), []
    for g in (5.0, 0.01, -3.0, -3.0, -1.0, 0.0):
        p.grad = ndl.tensor([g], dtype=ndl.float64)
        before = p.item()
        optimizer.step()
        seen.append(p.item() - before)
    assert seen == pytest.approx([-0.1, -0.12, 0.0, 0.06, 0.072, 0.0], abs=1e-14)


def test_rprop_and_nan_are_pytorchs() -> None:
    pair = Pair([(3,), ()], lambda T, params: T.optim.Rprop(params))
    for value in (1.0, np.nan, np.inf, -np.inf):
        for T, params in pair.params.items():
            for p in params:
                p.grad = T.full_like(p, value)
            pair.optimizers[T].step()
        for ours, theirs in zip(pair.weights(ndl), pair.weights(torch)):
            assert np.array_equal(ours, theirs, equal_nan=True)


def test_asgd_keeps_the_mean_of_the_weights_from_t0_on() -> None:
    p = ndl.nn.Parameter(ndl.zeros(1, dtype=ndl.float64))
    optimizer, seen = ASGD([p], lr=0.1, t0=3), []
    for t in range(12):
        p.grad = ndl.tensor([np.sin(t)], dtype=ndl.float64)
        optimizer.step()
        seen.append(p.item())
    # Until step 4, μ is 1 and a is θ; from step 5 on it is the plain mean of θ₄, θ₅, …
    assert optimizer.state[p]["ax"].item() == pytest.approx(np.mean(seen[4:]), rel=1e-6)


def test_an_option_that_is_switched_on_later_begins_then() -> None:
    """PyTorch raises KeyError for the array that was never made."""
    p = ndl.nn.Parameter(ndl.ones(2, dtype=ndl.float64))
    optimizer = RMSprop([p], lr=0.1)
    p.grad = ndl.ones(2, dtype=ndl.float64)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.9
    optimizer.step()
    assert list(optimizer.state[p]) == ["step", "square_avg", "momentum_buffer"]


def test_numbers_keep_their_type_when_a_state_is_loaded() -> None:
    """Rounding them to another type would change how training goes on. (PyTorch makes them the weights' type.)"""
    for rule, names in ((ndl.optim.NAdam, ("step", "mu_product")), (ASGD, ("step", "eta", "mu"))):
        p = ndl.nn.Parameter(ndl.ones(2, dtype=ndl.float64))
        p.grad = ndl.ones(2, dtype=ndl.float64)
        optimizer, other = rule([p]), rule([p])
        optimizer.step()
        other.load_state_dict(optimizer.state_dict())
        for name in names:
            assert other.state[p][name].dtype is ndl.float32
            assert other.state[p][name].item() == optimizer.state[p][name].item()


def test_adagrad_remembers_from_the_beginning_and_for_groups_added_later() -> None:
    def make(T: Any, params: list) -> Any:
        optimizer = T.optim.Adagrad(params[:1], lr=0.1, initial_accumulator_value=0.5)
        optimizer.add_param_group({"params": params[1:]})
        return optimizer

    pair = Pair([(2,), (3,)], make)
    assert_same(to_numpy(pair.ours.state_dict()), to_numpy(pair.theirs.state_dict()))
    pair.step(3)
    assert_same(to_numpy(pair.ours.state_dict()), to_numpy(pair.theirs.state_dict()))


def test_sparse_adam_says_why_it_is_not_here() -> None:
    with pytest.raises(RuntimeError, match="gradients are dense in ndl"):
        ndl.optim.SparseAdam([ndl.nn.Parameter(ndl.ones(2))])
