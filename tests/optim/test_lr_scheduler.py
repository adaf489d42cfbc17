"""Schedules against PyTorch number for number, against their formulas, saved and resumed."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ndl
import ndl.nn
import ndl.optim
from ndl.verify.training import SCHEDULERS
from tests.optim.pair import assert_same, to_numpy
from tests.optim.schedules import advance, sgd

COMPOSED = ("SequentialLR", "ChainedScheduler", "ReduceLROnPlateau")
every_scheduler = pytest.mark.parametrize("name", SCHEDULERS)


def both_sequences(make: Any, steps: int = 100, **kwargs: Any) -> list[list]:
    found = []
    for T in (ndl, torch):
        optimizer = sgd(T, **kwargs)
        found.append(advance(optimizer, make(T.optim.lr_scheduler, optimizer), steps))
    return found


@every_scheduler
def test_state_has_pytorchs_form(name: str) -> None:
    states = []
    for T in (ndl, torch):
        optimizer = sgd(T)
        scheduler = SCHEDULERS[name](T.optim.lr_scheduler, optimizer)
        advance(optimizer, scheduler, 3)
        states.append(to_numpy(scheduler.state_dict()))
    ours, theirs = states
    assert_same({k: ours[k] for k in sorted(ours)}, {k: theirs[k] for k in sorted(theirs)})


@every_scheduler
@pytest.mark.parametrize("source", [ndl, torch], ids=["ndl", "torch"])
def test_resumed_half_way(name: str, source: Any) -> None:
    """Loading the state, ours or PyTorch's, into new objects gives the rest of the schedule, number for number."""
    optimizer = sgd(source)
    scheduler = SCHEDULERS[name](source.optim.lr_scheduler, optimizer)
    advance(optimizer, scheduler, 37)
    saved = copy.deepcopy((to_numpy(optimizer.state_dict()), scheduler.state_dict()))
    expected = advance(optimizer, scheduler, 60, start=37)
    resumed = sgd(ndl, lr=0.7)
    schedule = SCHEDULERS[name](ndl.optim.lr_scheduler, resumed)
    schedule.load_state_dict(saved[1])
    resumed.load_state_dict(saved[0])
    assert advance(resumed, schedule, 60, start=37) == expected


@pytest.mark.parametrize("name", [n for n in SCHEDULERS if n not in COMPOSED])
def test_resumed_by_last_epoch(name: str) -> None:
    """``last_epoch`` with the optimiser's ``initial_lr``, the other way to go on."""
    found = []
    for T in (ndl, torch):
        optimizer = sgd(T)
        advance(optimizer, SCHEDULERS[name](T.optim.lr_scheduler, optimizer), 20)
        S = T.optim.lr_scheduler
        again = {
            "StepLR": lambda o, S=S: S.StepLR(o, 7, 0.8, last_epoch=19),
            "CosineAnnealingLR": lambda o, S=S: S.CosineAnnealingLR(o, 23, 0.003, last_epoch=19),
            "LinearLR": lambda o, S=S: S.LinearLR(o, 0.1, 0.7, 37, last_epoch=19),
            "ExponentialLR": lambda o, S=S: S.ExponentialLR(o, 0.97, last_epoch=19),
            "OneCycleLR": lambda o, S=S: S.OneCycleLR(o, [0.2, 0.1], 101, last_epoch=19),
            "CyclicLR": lambda o, S=S: S.CyclicLR(o, 0.01, [0.2, 0.1], 8, 5, last_epoch=19),
            "MultiplicativeLR": lambda o, S=S: S.MultiplicativeLR(o, lambda t: 0.9, last_epoch=19),
        }.get(name, lambda o, S=S: S.PolynomialLR(o, 61, 1.7, last_epoch=19))
        found.append(advance(optimizer, again(optimizer), 60))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda S, o: S.StepLR(o, 3, 0.5),
        lambda S, o: S.MultiStepLR(o, [3, 8, 8], 0.5),
        lambda S, o: S.ConstantLR(o, 0.25, 4),
        lambda S, o: S.LinearLR(o, 0.25, 0.5, 4),
        lambda S, o: S.ExponentialLR(o, 0.9),
        lambda S, o: S.PolynomialLR(o, 7, 2.0),
        lambda S, o: S.CosineAnnealingLR(o, 7, 0.01),
        lambda S, o: S.LambdaLR(o, lambda t: 1 / (1 + t)),
        lambda S, o: S.CosineAnnealingWarmRestarts(o, 3, 2),
        lambda S, o: S.CosineAnnealingWarmRestarts(o, 4),
    ],
)
def test_jumping_to_an_epoch_uses_the_closed_form(make: Any) -> None:
    found = []
    for T in (ndl, torch):
        optimizer = sgd(T)
        scheduler = make(T.optim.lr_scheduler, optimizer)
        rates = []
        for epoch in (5, 2, 9, 0, 30):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                optimizer.step()
                scheduler.step(epoch)
            if type(scheduler).__name__ != "CosineAnnealingWarmRestarts":
                assert any("epoch parameter" in str(w.message) for w in caught)
            rates.append(scheduler.get_last_lr())
        scheduler.step()
        found.append([*rates, scheduler.get_last_lr()])
    assert found[0] == found[1]


def test_fractions_of_an_epoch() -> None:
    found = []
    for T in (ndl, torch):
        optimizer = sgd(T)
        scheduler = T.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
        rates = []
        for i in range(60):
            optimizer.step()
            scheduler.step(i / 5)
            rates.append(scheduler.get_last_lr())
        found.append(rates)
        with pytest.raises(ValueError, match="Expected non-negative epoch"):
            scheduler.step(-1)
    assert found[0] == found[1]


@settings(max_examples=30)
@given(
    st.lists(
        st.sampled_from(["StepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR", "ConstantLR"]),
        min_size=2,
        max_size=4,
    ),
    st.booleans(),
    st.integers(0, 20),
    st.integers(1, 20),
)
def test_any_composition(names: list, sequential: bool, first: int, gap: int) -> None:
    """Several schedulers on one optimiser, one after another or chained, in PyTorch's order of roundings."""

    def make(S: Any, o: Any) -> Any:
        parts = [SCHEDULERS[name](S, o) for name in names]
        if sequential:
            return S.SequentialLR(o, parts, [first + gap * i for i in range(len(parts) - 1)])
        return S.ChainedScheduler(parts)

    ours, theirs = both_sequences(make, 80)
    assert ours == theirs


def test_compositions_within_compositions() -> None:
    def make(S: Any, o: Any, first: bool = True) -> Any:
        inner = S.SequentialLR(o, [S.ConstantLR(o, 0.5, 3), S.ExponentialLR(o, 0.9)], [5])
        outer = S.LinearLR(o, total_iters=4)
        return S.SequentialLR(o, [inner, outer] if first else [outer, inner], [10])

    with pytest.warns(UserWarning, match="before"):  # in PyTorch, too: the inner one takes its first step twice
        ours, theirs = both_sequences(make, 40)
    assert ours == theirs
    for T in (ndl, torch):  # a composition has no step 0 to start at later
        with pytest.raises(NotImplementedError):
            optimizer = sgd(T)
            advance(optimizer, make(T.optim.lr_scheduler, optimizer, first=False), 12)


def test_the_closed_formulas() -> None:
    """Written out once more, with the docstrings' symbols."""
    formulas = {
        "StepLR": lambda t: 0.8 ** (t // 7),
        "ExponentialLR": lambda t: 0.97**t,
        "LinearLR": lambda t: 0.1 + 0.6 * min(t, 37) / 37,
        "PolynomialLR": lambda t: (1 - min(t, 61) / 61) ** 1.7,
        "ConstantLR": lambda t: 0.3 if t < 11 else 1.0,
        "MultiStepLR": lambda t: 0.3 ** sum(t >= m for m in (60, 5, 20, 20)),
        "CosineAnnealingLR": lambda t: 0.03 + (1 - 0.03) * (1 + math.cos(math.pi * t / 23)) / 2,
    }
    for name, f in formulas.items():
        optimizer = sgd(ndl, groups=1)
        scheduler = SCHEDULERS[name](ndl.optim.lr_scheduler, optimizer)
        assert scheduler.get_last_lr()[0] == pytest.approx(0.1 * f(0), rel=1e-12)
        for t, [(lr, _)] in enumerate(advance(optimizer, scheduler, 100), start=1):
            assert lr == pytest.approx(0.1 * f(t), rel=1e-10, abs=1e-17), (name, t)


def test_a_tensor_as_learning_rate_is_filled() -> None:
    for name in SCHEDULERS:
        if "Plateau" in name or "OneCycle" in name:  # these replace it, or take their rates from elsewhere
            continue
        found = []
        for T in (ndl, torch):
            lr = T.tensor(0.1, dtype=T.float64)
            optimizer = T.optim.SGD([T.nn.Parameter(T.zeros(1))], lr=lr, momentum=0.9)
            make = SCHEDULERS[name]
            if name in ("LambdaLR", "CyclicLR", "SWALR"):  # a value for each of two groups
                make = SCHEDULERS["ExponentialLR"]
            found.append(advance(optimizer, make(T.optim.lr_scheduler, optimizer), 40))
            assert optimizer.param_groups[0]["lr"] is lr
        assert np.allclose(found[0], found[1], rtol=1e-15, atol=0), name
