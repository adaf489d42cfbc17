"""Adam and AdamW against PyTorch over all options, against their formulas, and at their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ndl
import ndl.nn
from ndl.optim import Adam, AdamW
from tests.optim.pair import Pair

shapes = st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=4)
options = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.0, 1e-3, 0.1, 1]),
        "betas": st.tuples(st.sampled_from([0.0, 0.2, 0.9]), st.sampled_from([0.0, 0.5, 0.999])),
        "eps": st.sampled_from([1e-8, 1e-2]),
        "weight_decay": st.sampled_from([0, 0.1, 0.7]),
        "amsgrad": st.booleans(),
        "maximize": st.booleans(),
    }
)


@settings(max_examples=40)
@given(shapes, st.sampled_from(["Adam", "AdamW"]), options, st.integers(0, 1000))
def test_100_steps_equal_pytorch(shapes: list, name: str, options: dict, seed: int) -> None:
    # With β₂ = 0 and λ θ in it, g alone divides: near 0 it amplifies the last digit, in PyTorch as here.
    assume(options["betas"][1] > 0 or options["weight_decay"] == 0 or name == "AdamW")
    pair = Pair(shapes, lambda T, params: getattr(T.optim, name)(params, **options), seed=seed)
    pair.step(50)
    pair.step(10, missing=[0])
    pair.step(40)
    assert pair.error() <= 1e-12


@pytest.mark.parametrize("decoupled", [False, True])
def test_the_formula_with_numbers(decoupled: bool) -> None:
    """As the docstring has it, with m̂ and v̂ written out."""
    lr, b1, b2, eps, decay = 0.3, 0.8, 0.9, 0.01, 0.1
    p = ndl.nn.Parameter(ndl.tensor([2.0], dtype=ndl.float64))
    optimizer = Adam([p], lr, (b1, b2), eps, decay, decoupled_weight_decay=decoupled)
    theta, m, v = 2.0, 0.0, 0.0
    for t, dL in enumerate([1.0, -3.0, 0.5], start=1):
        g = dL if decoupled else dL + decay * theta
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        theta = (theta * (1 - lr * decay) if decoupled else theta) - lr * m_hat / (v_hat**0.5 + eps)
        p.grad = ndl.tensor([dL], dtype=ndl.float64)
        optimizer.step()
        assert p.item() == pytest.approx(theta, rel=1e-14)


def test_the_first_step_is_lr_whatever_the_scale_of_the_loss() -> None:
    for scale in (1e-3, 1.0, 1e6):
        p = ndl.nn.Parameter(ndl.zeros(2, dtype=ndl.float64))
        p.grad = ndl.tensor([scale, -scale], dtype=ndl.float64)
        Adam([p], lr=0.1, eps=0.0).step()
        assert p.detach().numpy() == pytest.approx([-0.1, 0.1], rel=1e-12)


def test_amsgrad_converges_where_adam_does_not() -> None:
    """Reddi et al., section 3: gradients C, −1, −1, … on [−1, 1]; the best point is −1, and Adam goes to +1."""
    C, ends = 3.0, []
    for amsgrad in (False, True):
        p = ndl.nn.Parameter(ndl.zeros(1, dtype=ndl.float64))
        optimizer = Adam([p], lr=0.1, betas=(0.0, 1 / (1 + C**2)), amsgrad=amsgrad)
        for t in range(1, 600):
            optimizer.param_groups[0]["lr"] = 0.5 / t**0.5
            p.grad = ndl.tensor([C if t % 3 == 1 else -1.0], dtype=ndl.float64)
            optimizer.step()
            with ndl.no_grad():
                p.copy_(ndl.clamp(p, -1.0, 1.0))
        ends.append(p.item())
    assert ends[0] > 0.8
    assert ends[1] < -0.8


def test_a_zero_gradient_and_no_eps_give_nan_as_in_pytorch() -> None:
    pair = Pair([(2,)], lambda T, params: T.optim.Adam(params, eps=0.0))
    for T, params in pair.params.items():
        params[0].grad = T.tensor([0.0, 1.0], dtype=T.float64)
        pair.optimizers[T].step()
    assert np.isnan(pair.weights(ndl)[0]).tolist() == [True, False]
    assert pair.error() <= 1e-15


def test_each_parameter_counts_its_own_steps() -> None:
    pair = Pair([(2,), (2,)], lambda T, params: T.optim.Adam(params, lr=0.1))
    pair.step(3, missing=[1])
    pair.step(2)
    steps = [pair.ours.state[p]["step"] for p in pair.params[ndl]]
    assert [s.item() for s in steps] == [5, 2]
    assert steps[0].dtype is ndl.float32 and tuple(steps[0].shape) == ()
    assert pair.error() <= 1e-15


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_as_options(name: str, dtype: str) -> None:
    """Numbers that are computed from a float32 tensor are rounded to float32, also for float64 weights."""

    def make(T: Any, params: list) -> Any:
        lr, b1, b2 = [T.tensor(x, dtype=getattr(T, dtype)) for x in (0.1, 0.8, 0.9)]
        return getattr(T.optim, name)(params, lr=lr, betas=(b1, b2), weight_decay=0.1)

    pair = Pair([(3, 2)], make)
    pair.step(10)
    assert pair.error() <= (1e-12 if dtype == "float64" else 1e-6)


def test_flags_that_change_nothing() -> None:
    for flags in ({"foreach": True}, {"fused": True}):
        pair = Pair([(3,), (2, 2)], lambda T, params, flags=flags: T.optim.AdamW(params, lr=0.1, **flags))
        pair.step(10)
        assert pair.error() <= 1e-6  # PyTorch's fused kernel rounds elsewhere


def test_adamw_is_adam_with_decoupled_decay() -> None:
    assert issubclass(AdamW, Adam)
    weights = []
    for make in (
        lambda p: AdamW([p], lr=0.1),
        lambda p: Adam([p], 0.1, weight_decay=0.01, decoupled_weight_decay=True),
    ):
        p = ndl.nn.Parameter(ndl.arange(4.0))
        optimizer = make(p)
        for _ in range(5):
            p.grad = ndl.tensor([1.0, -2.0, 0.0, 3.0])
            optimizer.step()
        weights.append(p.tolist())
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"lr": float("nan")}, "Invalid learning rate: nan"),
        ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
        ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ({"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        ({"betas": (0, 0.9)}, "betas must be either both floats or both Tensors"),
        ({"weight_decay": -1}, "Invalid weight_decay value: -1"),
    ],
)
def test_refused_options(kwargs: dict, message: str) -> None:
    for T in (ndl, torch):
        for name in ("Adam", "AdamW"):
            with pytest.raises(ValueError, match=message):
                getattr(T.optim, name)([T.nn.Parameter(T.ones(2))], **kwargs)


def test_differentiable_is_refused() -> None:
    with pytest.raises(RuntimeError, match="differentiable=True is not here"):
        Adam([ndl.nn.Parameter(ndl.ones(2))], differentiable=True)
