"""SGD against PyTorch over all options, against its formula, and where it must not follow the formula blindly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ndl
import ndl.nn
from ndl.optim import SGD
from tests.optim.pair import Pair

rates = st.sampled_from([0.0, 0.1, 0.7, 1.0])
shapes = st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=4)


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    found = {
        "lr": draw(st.sampled_from([0.0, 1e-3, 0.1, 1])),
        "momentum": draw(rates),
        "dampening": draw(st.sampled_from([0, 0.3, 1.0, -0.5])),
        "weight_decay": draw(rates),
        "maximize": draw(st.booleans()),
    }
    if found["momentum"] > 0 and found["dampening"] == 0:
        found["nesterov"] = draw(st.booleans())
    return found


@settings(max_examples=40)
@given(shapes, options(), st.integers(0, 1000))
def test_100_steps_equal_pytorch(shapes: list, options: dict, seed: int) -> None:
    pair = Pair(shapes, lambda T, params: T.optim.SGD(params, **options), seed=seed)
    pair.step(50)
    pair.step(10, missing=[0])
    pair.step(40)
    assert pair.error() <= 1e-12


def test_the_formula_with_numbers() -> None:
    """μ = 0.5, τ = 0.2, λ = 0.1, γ = 0.3 from θ = 2 with gradients 1 and 4."""
    p = ndl.nn.Parameter(ndl.tensor([2.0], dtype=ndl.float64))
    optimizer = SGD([p], lr=0.3, momentum=0.5, dampening=0.2, weight_decay=0.1)
    p.grad = ndl.tensor([1.0], dtype=ndl.float64)
    optimizer.step()
    b1 = 1 + 0.1 * 2  # no dampening in the first step
    theta = 2 - 0.3 * b1
    assert p.item() == pytest.approx(theta, rel=1e-15)
    p.grad = ndl.tensor([4.0], dtype=ndl.float64)
    optimizer.step()
    b2 = 0.5 * b1 + (1 - 0.2) * (4 + 0.1 * theta)
    assert p.item() == pytest.approx(theta - 0.3 * b2, rel=1e-15)
    assert optimizer.state[p]["momentum_buffer"].item() == pytest.approx(b2, rel=1e-15)


def test_the_gradient_is_not_changed() -> None:
    for kwargs in ({"momentum": 0.9}, {"maximize": True, "weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}):
        for size in (7, 20_000):
            p = ndl.nn.Parameter(ndl.ones(size))
            g = np.random.default_rng(0).standard_normal(size).astype(np.float32)
            p.grad = ndl.from_numpy(g.copy())
            optimizer = SGD([p], lr=0.1, **kwargs)
            optimizer.step()
            optimizer.step()
            assert np.array_equal(p.grad.numpy(), g)


def test_without_momentum_nothing_is_remembered() -> None:
    pair = Pair([(3,)], lambda T, params: T.optim.SGD(params, lr=0.1))
    pair.step(2)
    assert dict(pair.ours.state) == {} == dict(pair.theirs.state)


def test_a_momentum_switched_on_later_starts_with_the_gradient() -> None:
    pair = Pair([(3,), (2,)], lambda T, params: T.optim.SGD(params, lr=0.1, dampening=0.5))
    pair.step(3)
    for optimizer in pair.optimizers.values():
        optimizer.param_groups[0]["momentum"] = 0.9
    pair.step(3, missing=[1])
    pair.step(3)
    assert pair.error() <= 1e-15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tensor_as_learning_rate(dtype: str) -> None:
    """0.1 as float32 is 0.10000000149, also for float64 weights; a change of the tensor acts at once."""

    def make(T: Any, params: list) -> Any:
        return T.optim.SGD(params, lr=T.tensor(0.1, dtype=getattr(T, dtype)), momentum=0.9)

    pair = Pair([(3, 2)], make)
    pair.step(3)
    for optimizer in pair.optimizers.values():
        optimizer.param_groups[0]["lr"].fill_(0.3)
    pair.step(3)
    assert pair.error() <= 1e-15


def test_flags_that_change_nothing() -> None:
    for flags in ({"foreach": True}, {"fused": True}, {"foreach": False, "fused": False}):
        pair = Pair([(3,), (2, 2)], lambda T, params, flags=flags: T.optim.SGD(params, lr=0.1, momentum=0.9, **flags))
        pair.step(10)
        assert pair.error() <= 1e-12


def test_infinite_and_missing_numbers_pass_in_silence() -> None:
    for bad in (np.inf, np.nan, 1e38):
        pair = Pair([(2,)], lambda T, params: T.optim.SGD(params, lr=1e3, momentum=0.9, weight_decay=10), np.float32)
        for T, params in pair.params.items():
            params[0].grad = T.tensor([bad, 1.0])
        for _ in range(3):
            for optimizer in pair.optimizers.values():
                optimizer.step()
        assert pair.error() <= 1e-6


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"momentum": -0.5}, "Invalid momentum value: -0.5"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "Nesterov momentum requires a momentum and zero dampening",
        ),
    ],
)
def test_refused_options(kwargs: dict, message: str) -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError, match=message):
            T.optim.SGD([T.nn.Parameter(T.ones(2))], **kwargs)


def test_refused_flags() -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
            T.optim.SGD([T.nn.Parameter(T.ones(2))], lr=T.ones(2))
        with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
            T.optim.SGD([T.nn.Parameter(T.ones(2))], fused=True, foreach=True)
        with pytest.raises(TypeError):
            T.optim.SGD([T.nn.Parameter(T.ones(2))], lr="0.1")
    with pytest.raises(RuntimeError, match="differentiable=True is not here"):
        SGD([ndl.nn.Parameter(ndl.ones(2))], differentiable=True)
