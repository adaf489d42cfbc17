"""The table's truth: after 100 steps of every optimiser and scheduler the weights equal PyTorch's."""

import numpy as np
import pytest
import torch

import ndl
import ndl.optim
from ndl.verify.parity import relative_error
from ndl.verify.training import OPTIMIZERS, SCHEDULERS, difference, tolerance, train, training_errors


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name: str) -> None:
    assert difference(name).weights <= tolerance(name)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_scheduler(name: str) -> None:
    found = difference("SGD momentum", name)
    assert found.weights <= 1e-12
    assert found.rates == 0


@pytest.mark.parametrize("name", [n for n in SCHEDULERS if n.startswith(("OneCycle", "Cyclic"))])
def test_momentum_cycles_of_adam(name: str) -> None:
    found = difference("Adam", name)
    assert found.weights <= 1e-12
    assert found.rates == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_is_as_near_to_the_truth_as_pytorch(name: str) -> None:
    truth = train(torch, name, dtype=np.float64).weights
    ours, theirs = [train(T, name, dtype=np.float32).weights for T in (ndl, torch)]
    assert all(w.dtype == np.float32 for w in ours)
    error, allowed = [max(relative_error(a, b) for a, b in zip(w, truth, strict=True)) for w in (ours, theirs)]
    assert error <= max(4 * allowed, 0 if tolerance(name) < 1e-6 else tolerance(name))


def test_schedules_are_not_constant() -> None:
    for name in SCHEDULERS:
        rates = np.array(train(ndl, "SGD momentum", name).rates)
        assert np.ptp(rates[:, 0]) > 0, name


def test_the_table_has_every_name() -> None:
    assert set(training_errors(steps=2)) >= {*OPTIMIZERS, *SCHEDULERS}
