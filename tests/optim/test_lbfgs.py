"""L-BFGS against PyTorch on functions that are hard to descend, its line search, its state, its errors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn
from ndl.optim import LBFGS
from ndl.optim.line_search import Point, cubic_minimum, strong_wolfe
from tests.optim.pair import assert_same, to_numpy, to_torch

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])
SEARCHES = pytest.mark.parametrize("search", [None, "strong_wolfe"])


def rosenbrock(x: Any) -> Any:
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def quadratic(x: Any) -> Any:
    return (x[:-1] ** 2).sum() + (x[1:] * x[:-1]).sum() * 0.3 + 10 * (x[1:] - 1).pow(2).sum()


def wavy(x: Any) -> Any:
    return (x**2).sum() * 0.05 + (3 * x).cos().sum()


def start(T: Any, n: int = 6) -> list[Any]:
    values = np.random.default_rng(3).standard_normal(n)
    return [T.nn.Parameter(T.from_numpy(v.copy())) for v in (values[:2], values[2:], np.array(0.3))]


def closure(T: Any, f: Callable, params: list[Any], optimizer: Any) -> Callable[[], Any]:
    def evaluate() -> Any:
        optimizer.zero_grad()
        loss = f(T.cat([p.reshape(-1) for p in params]))
        loss.backward()
        return loss

    return evaluate


def descend(T: Any, f: Callable, steps: int, **options: Any) -> tuple[list[Any], Any, list[float]]:
    params = start(T)
    optimizer = T.optim.LBFGS(params, **options)
    with T.no_grad():  # the closure records all the same
        losses = [float(optimizer.step(closure(T, f, params, optimizer))) for _ in range(steps)]
    return params, optimizer, losses


def weights(params: list[Any]) -> np.ndarray:
    return np.concatenate([p.detach().numpy().reshape(-1) for p in params])


@pytest.mark.parametrize("f", [rosenbrock, quadratic, wavy])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 1e-3},
        {"lr": 0.05, "max_iter": 4, "history_size": 2},
        {"lr": 0.02, "max_iter": 30, "max_eval": 7},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 3},
        {"line_search_fn": "strong_wolfe", "max_iter": 7, "max_eval": 9, "history_size": 3},
        {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-3, "tolerance_grad": 1e-2},
    ],
)
def test_equal_to_pytorch(f: Callable, options: dict) -> None:
    found = [descend(T, f, 6, **options) for T in (ndl, torch)]
    (ours, our_optimizer, our_losses), (theirs, their_optimizer, their_losses) = found
    assert np.allclose(weights(ours), weights(theirs), rtol=1e-8, atol=1e-8)
    assert our_losses == pytest.approx(their_losses, rel=1e-8, abs=1e-12)
    a, b = [o.state[o.param_groups[0]["params"][0]] for o in (our_optimizer, their_optimizer)]
    assert (a["n_iter"], a["func_evals"]) == (b["n_iter"], b["func_evals"])


def test_the_minimum_of_rosenbrocks_valley() -> None:
    params, _, losses = descend(ndl, rosenbrock, 8, line_search_fn="strong_wolfe")
    assert losses[-1] < 1e-10
    assert weights(params) == pytest.approx(np.ones(7), abs=1e-5)


def test_a_quadratic_in_as_many_steps_as_it_has_directions() -> None:
    """With exact line searches BFGS takes conjugate directions: n steps for n dimensions."""
    A = np.diag([1.0, 5.0, 20.0])
    x = ndl.nn.Parameter(ndl.tensor([1.0, 1.0, 1.0], dtype=ndl.float64))
    optimizer = LBFGS([x], max_iter=4, line_search_fn="strong_wolfe", tolerance_change=0)

    def evaluate() -> Any:
        optimizer.zero_grad()
        loss = 0.5 * (x @ ndl.from_numpy(A) @ x)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(evaluate)
    assert float(evaluate()) < 1e-8


@SEARCHES
@pytest.mark.parametrize("convert", [lambda state: state, to_numpy], ids=["tensors", "arrays"])
def test_the_state_is_exchanged_with_pytorch(search: Any, convert: Any) -> None:
    options = {"lr": 0.05, "max_iter": 3, "history_size": 4, "line_search_fn": search}
    ours, theirs = [descend(T, rosenbrock, 3, **options)[:2] for T in (ndl, torch)]
    a, b = to_numpy(ours[1].state_dict()), to_numpy(theirs[1].state_dict())
    assert set(a["state"][0]) == set(b["state"][0])
    for name in ("d", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad"):
        for x, y in zip(np.atleast_1d(a["state"][0][name]), np.atleast_1d(b["state"][0][name]), strict=True):
            assert np.allclose(x, y, rtol=1e-6, atol=1e-9), name
    for T, (params, optimizer) in ((ndl, ours), (torch, theirs)):
        fresh = T.optim.LBFGS(params, **options)
        fresh.load_state_dict(convert(theirs[1].state_dict()) if T is ndl else to_torch(a))
        for _ in range(3):
            fresh.step(closure(T, rosenbrock, params, optimizer))
    assert np.allclose(weights(ours[0]), weights(theirs[0]), rtol=1e-7, atol=1e-7)


@SEARCHES
def test_resuming_continues_bit_for_bit(search: Any) -> None:
    options = {"lr": 0.05, "max_iter": 4, "line_search_fn": search}
    params, optimizer, _ = descend(ndl, rosenbrock, 2, **options)
    copies = [ndl.nn.Parameter(p.detach().clone()) for p in params]
    resumed = LBFGS(copies, **options)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        optimizer.step(closure(ndl, rosenbrock, params, optimizer))
        resumed.step(closure(ndl, rosenbrock, copies, resumed))
    assert weights(copies).tolist() == weights(params).tolist()
    assert_same(to_numpy(resumed.state_dict()), to_numpy(optimizer.state_dict()))


@BOTH
def test_at_a_minimum_nothing_moves_and_the_first_loss_comes_back(T: Any) -> None:
    p = T.nn.Parameter(T.zeros(3))
    optimizer = T.optim.LBFGS([p])
    loss = optimizer.step(closure(T, lambda x: (x**2).sum(), [p], optimizer))
    assert loss.item() == 0 and p.tolist() == [0, 0, 0]
    assert optimizer.state[p] == {"func_evals": 1, "n_iter": 0}


@BOTH
def test_a_parameter_without_gradient_counts_as_zero(T: Any) -> None:
    p, q = T.nn.Parameter(T.ones(2)), T.nn.Parameter(T.ones(3))
    optimizer = T.optim.LBFGS([p, q], lr=0.1)
    optimizer.step(closure(T, lambda x: (x**4).sum(), [p], optimizer))
    assert q.tolist() == [1, 1, 1] and p[0].item() < 1


@BOTH
def test_refused(T: Any) -> None:
    p, q = T.nn.Parameter(T.ones(2)), T.nn.Parameter(T.ones(3))
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        T.optim.LBFGS([{"params": [p]}, {"params": [q]}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        T.optim.LBFGS([p], lr=-1)
    with pytest.raises(TypeError, match="closure"):
        T.optim.LBFGS([p]).step()
    optimizer = T.optim.LBFGS([p], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(closure(T, lambda x: (x**2).sum(), [p], optimizer))


@pytest.mark.parametrize("t", [1e-4, 0.1, 1.0, 50.0])
def test_the_line_search_finds_both_conditions(t: float) -> None:
    """φ(t) = −t / (t² + 2), Moré and Thuente's first example: minimum at √2."""

    def phi(t: float) -> tuple[float, np.ndarray]:
        return -t / (t**2 + 2), np.array([(t**2 - 2) / (t**2 + 2) ** 2])

    f, g = phi(0)
    found, tried = strong_wolfe(phi, t, np.ones(1), Point(0, f, g[0], g), c2=0.1)
    assert found.f <= f + 1e-4 * found.t * g[0]
    assert abs(found.slope) <= 0.1 * abs(g[0])
    assert tried <= 12


def test_the_line_search_goes_pytorchs_way_on_wild_functions() -> None:
    """Waves on a slope: every branch of the search is taken; each trial, and so the number of them, is the same."""
    from torch.optim.lbfgs import _strong_wolfe

    rng = np.random.default_rng(5)
    for _ in range(300):
        a, b, c, s = rng.standard_normal(4) * (1, 2, 9, 3)
        phi = lambda t, a=a, b=b, c=c, s=s: a * np.sin(b * t) + np.cos(c * t) / 4 + 0.01 * (t - s) ** 2
        slope = lambda t, a=a, b=b, c=c, s=s: a * b * np.cos(b * t) - np.sin(c * t) * c / 4 + 0.02 * (t - s)
        if slope(0.0) >= 0:
            continue
        trials: dict[str, list[float]] = {"ours": [], "theirs": []}

        def ours(t: Any, phi: Any = phi, slope: Any = slope, trials: dict = trials) -> tuple[float, np.ndarray]:
            trials["ours"].append(float(t))
            return float(phi(float(t))), np.array([slope(float(t))])

        def theirs(x: Any, t: Any, d: Any, phi: Any = phi, slope: Any = slope, trials: dict = trials) -> tuple:
            trials["theirs"].append(float(t))
            return float(phi(float(t))), torch.tensor([slope(float(t))], dtype=torch.float64)

        t, f, g = float(rng.choice([0.01, 1.0, 7.0])), float(phi(0.0)), np.array([slope(0.0)])
        found, tried = strong_wolfe(ours, t, np.ones(1), Point(0, f, g[0], g), max_evaluations=12)
        one = torch.ones(1, dtype=torch.float64)
        expected = _strong_wolfe(theirs, None, t, one, f, torch.from_numpy(g), torch.tensor(g[0]), max_ls=12)
        assert trials["ours"] == pytest.approx(trials["theirs"], rel=1e-9)
        assert (float(found.t), found.f, tried) == pytest.approx(
            (float(expected[2]), expected[0], expected[3]), rel=1e-9
        )


def test_the_minimum_of_a_cubic() -> None:
    """f = t³ − 3 t has it at 1, whatever the two points; a straight line has none, and the middle is taken."""
    f, slope = lambda t: t**3 - 3 * t, lambda t: 3 * t**2 - 3
    for a, b in ((0.0, 2.0), (0.5, 1.5), (3.0, 0.2)):
        points = [Point(t, f(t), np.float64(slope(t)), np.zeros(1)) for t in (a, b)]
        assert cubic_minimum(*points) == pytest.approx(1.0, rel=1e-12)
    assert cubic_minimum(*[Point(t, f(t), np.float64(slope(t)), np.zeros(1)) for t in (0.0, 2.0)], (1.5, 9)) == 1.5
    rising = [Point(t, t + t**3, np.float64(1 + 3 * t**2), np.zeros(1)) for t in (-1.0, 2.0)]
    assert cubic_minimum(*rising) == 0.5
