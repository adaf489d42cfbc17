"""Schedulers used rightly and wrongly: order of steps, plateaus, functions and objects, what is refused."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
import ndl.optim
from ndl.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau, StepLR
from tests.optim.schedules import advance, sgd

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@BOTH
def test_stepping_in_the_wrong_order_warns(T: Any) -> None:
    scheduler = T.optim.lr_scheduler.StepLR(sgd(T), 3)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    optimizer = sgd(T)
    optimizer.step()  # before the scheduler was made: does not count
    scheduler = T.optim.lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match="before"):
        scheduler.step()
    optimizer = sgd(T)
    scheduler = T.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="overridden"):
        scheduler.step()


@BOTH
def test_get_lr_is_not_for_users(T: Any) -> None:
    scheduler = T.optim.lr_scheduler.ExponentialLR(sgd(T), 0.5)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()


@BOTH
def test_a_scheduler_of_ones_own(T: Any) -> None:
    class Halve(T.optim.lr_scheduler.LRScheduler):
        def get_lr(self) -> list:
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = sgd(T, lr=1.0)
    scheduler = Halve(optimizer)
    assert [lr for [(lr, _), _] in advance(optimizer, scheduler, 3)] == [0.5, 0.25, 0.125]
    assert optimizer.param_groups[1]["initial_lr"] == 0.5


def test_the_scheduler_does_not_keep_the_optimiser_alive() -> None:
    gc.disable()
    try:
        optimizer = sgd(ndl)
        StepLR(optimizer, 3)
        reference = weakref.ref(optimizer)
        del optimizer
        assert reference() is None
    finally:
        gc.enable()


def test_hooks_and_closures_still_work_under_a_scheduler() -> None:
    optimizer = sgd(ndl)
    StepLR(optimizer, 3)
    calls: list = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    assert optimizer.step(lambda: 5.0) == 5.0
    assert calls == [1]
    assert copy.deepcopy(optimizer).step(lambda: 6.0) == 6.0


def test_plateau_in_all_its_modes() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([np.linspace(1, 0.5, 15), 0.5 + 0.01 * rng.standard_normal(60), np.full(25, 0.5)])
    for mode in ("min", "max"):
        for threshold_mode in ("rel", "abs"):
            for cooldown in (0, 3):
                found = []
                for T in (ndl, torch):
                    optimizer = sgd(T)
                    scheduler = T.optim.lr_scheduler.ReduceLROnPlateau(
                        optimizer, mode, 0.3, 2, 0.01, threshold_mode, cooldown, [1e-3, 1e-5], 1e-7
                    )
                    rates = []
                    for v in values:
                        scheduler.step(T.tensor(v))
                        rates.append((scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.in_cooldown))
                    found.append(rates)
                assert found[0] == found[1]
                assert found[0][-1][0] != [0.1, 0.05]


def test_plateau_after_a_group_was_added() -> None:
    for T in (ndl, torch):
        for min_lr in (0.01, [0.01, 0.01]):
            optimizer = sgd(T)
            scheduler = T.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=min_lr)
            optimizer.add_param_group({"params": [T.nn.Parameter(T.zeros(1))]})
            scheduler.step(1.0)
            if isinstance(min_lr, list):
                with pytest.raises(RuntimeError, match="number of param groups"):
                    scheduler.step(1.0)
            else:
                scheduler.step(1.0)
                assert scheduler.get_last_lr() == pytest.approx([0.01, 0.01, 0.001], rel=1e-12)


class Decay:
    """A callable object: its attributes are saved."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, t: float) -> float:
        return self.rate**t


@pytest.mark.parametrize(
    "make",
    [
        lambda S, o, f: S.LambdaLR(o, [f, lambda t: 1.0]),
        lambda S, o, f: S.MultiplicativeLR(o, [f, lambda t: 1.0]),
        lambda S, o, f: S.CyclicLR(o, 0.1, 0.2, 3, scale_fn=f, scale_mode="iterations"),
    ],
)
def test_callable_objects_are_saved_and_functions_are_not(make: Any) -> None:
    for T in (ndl, torch):
        S = T.optim.lr_scheduler
        optimizer, other = sgd(T), sgd(T)
        source, target = make(S, optimizer, Decay(0.5)), make(S, other, Decay(0.9))
        advance(optimizer, source, 2)
        saved = source.state_dict()
        assert saved.get("lr_lambdas", [saved.get("_scale_fn_custom"), None]) == [{"rate": 0.5}, None]
        target.load_state_dict(saved)
        other.load_state_dict(optimizer.state_dict())
        assert advance(other, target, 5) == advance(optimizer, source, 5)


@BOTH
@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda S, o: S.StepLR(3, 2), TypeError, "int is not an Optimizer"),
        (lambda S, o: S.ReduceLROnPlateau(3), TypeError, "int is not an Optimizer"),
        (lambda S, o: S.StepLR(o, 2, last_epoch=4), KeyError, "param 'initial_lr' is not specified"),
        (lambda S, o: S.ConstantLR(o, 1.5), ValueError, "Constant multiplicative factor expected"),
        (lambda S, o: S.LinearLR(o, 0.0), ValueError, "Starting multiplicative factor expected"),
        (lambda S, o: S.LinearLR(o, 0.5, -1.0), ValueError, "Ending multiplicative factor expected"),
        (lambda S, o: S.LambdaLR(o, [abs]), ValueError, "Expected 2 lr_lambdas, but got 1"),
        (lambda S, o: S.MultiplicativeLR(o, 3), TypeError, "lr_lambda should be a function, but got int"),
        (lambda S, o: S.CosineAnnealingWarmRestarts(o, 0), ValueError, "Expected positive integer T_0, but got 0"),
        (lambda S, o: S.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "Expected integer T_mult >= 1, but got 0"),
        (lambda S, o: S.CosineAnnealingWarmRestarts(o, 1, 1, "0"), ValueError, "Expected float or int eta_min"),
        (lambda S, o: S.OneCycleLR(o, 0.1), ValueError, "You must define either total_steps OR"),
        (lambda S, o: S.OneCycleLR(o, 0.1, 0), ValueError, "Expected positive integer total_steps, but got 0"),
        (lambda S, o: S.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=1.5), ValueError, "steps_per_epoch, but got 1.5"),
        (lambda S, o: S.OneCycleLR(o, 0.1, 9, pct_start=1), ValueError, "Expected float between 0 and 1 pct_start"),
        (lambda S, o: S.OneCycleLR(o, 0.1, 9, anneal_strategy="exp"), ValueError, "anneal_strategy must be one of"),
        (lambda S, o: S.OneCycleLR(o, [0.1], 9), ValueError, "max_lr must have the same length as optimizer.param"),
        (lambda S, o: S.CyclicLR(o, 0.1, 0.2, mode="square"), ValueError, "mode is invalid and scale_fn is None"),
        (lambda S, o: S.CyclicLR(o, [0.1] * 3, 0.2), ValueError, "base_lr must have the same length"),
        (lambda S, o: S.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0"),
        (lambda S, o: S.ReduceLROnPlateau(o, "low"), ValueError, "mode low is unknown!"),
        (lambda S, o: S.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold mode x is unknown!"),
        (lambda S, o: S.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "expected 2 min_lrs, got 1"),
        (lambda S, o: S.SequentialLR(o, [], []), ValueError, "expects at least one scheduler"),
        (lambda S, o: S.SequentialLR(o, [S.StepLR(o, 1)], [3]), ValueError, "one more than the number of milestone"),
        (lambda S, o: S.SequentialLR(o, [3], []), TypeError, "at index 0 should have `optimizer`"),
        (lambda S, o: S.ChainedScheduler([]), ValueError, "expects at least one scheduler"),
        (lambda S, o: S.ChainedScheduler([S.ReduceLROnPlateau(o)]), ValueError, "does not support `ReduceLROnPlateau`"),
    ],
)
def test_refused(T: Any, make: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        make(T.optim.lr_scheduler, sgd(T))


@BOTH
@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda S, o: S.StepLR(o, 0), ZeroDivisionError, "StepLR: step_size must not be 0"),
        (lambda S, o: S.StepLR(o, "3"), TypeError, "StepLR: step_size must be a number of steps, got '3'"),
        (lambda S, o: S.CosineAnnealingLR(o, 0), ZeroDivisionError, "CosineAnnealingLR: T_max must not be 0"),
        (lambda S, o: S.ConstantLR(o, 0.0, 2), ZeroDivisionError, "cannot be multiplied back up at step 2"),
        (lambda S, o: S.CyclicLR(o, 0.1, 0.2, 0), ZeroDivisionError, "CyclicLR: step_size_up must not be 0"),
    ],
)
def test_refused_in_pytorch_only_at_the_first_steps_and_without_a_name(
    T: Any, make: Any, error: type, message: str
) -> None:
    optimizer = sgd(T)
    with pytest.raises(error, match=message if T is ndl else None):
        advance(optimizer, make(T.optim.lr_scheduler, optimizer), 3)


@BOTH
def test_refused_compositions_and_overlong_cycles(T: Any) -> None:
    S, optimizer, other = T.optim.lr_scheduler, sgd(T), sgd(T)
    with pytest.raises(ValueError, match="belong to the same optimizer"):
        S.ChainedScheduler([S.StepLR(optimizer, 1), S.StepLR(other, 1)])
    with pytest.raises(ValueError, match="belong to the same optimizer"):
        S.SequentialLR(optimizer, [S.StepLR(other, 1)], [])
    cycle = S.OneCycleLR(optimizer, 0.1, 3)
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number of total steps is 3"):
        advance(optimizer, cycle, 4)

    class Plain(T.optim.Optimizer):
        pass

    for make in (lambda o: S.OneCycleLR(o, 0.1, 9), lambda o: S.CyclicLR(o, 0.1, 0.2)):
        with pytest.raises(ValueError, match="optimizer must support momentum or beta1 with `cycle_momentum`"):
            make(Plain([T.nn.Parameter(T.zeros(1))], {"lr": 0.1}))


def test_every_scheduler_is_an_lrscheduler() -> None:
    for name in dir(ndl.optim.lr_scheduler):
        if name[0].isupper():
            assert issubclass(getattr(ndl.optim.lr_scheduler, name), LRScheduler)
    assert issubclass(ReduceLROnPlateau, LRScheduler)
