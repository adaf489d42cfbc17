"""Training in ndl and in PyTorch from equal weights: after N steps of every optimiser and scheduler they stay equal.

The gradient is a function of the weights, g = tanh(θ − target) + noise, computed from each library's own weights: a
difference made in one step acts on all later ones. What is listed here is what stands: ``OPTIMIZERS`` and
``SCHEDULERS`` name each with its options, once, for the tests and for the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ndl.verify.parity import relative_error

SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (3, 5), (2, 3, 1, 4), (0, 2), (90, 100))

# Options of T.optim.<class>. The learning rate is the first group's; the second group's is a quarter of it.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD weight decay": ("SGD", {"lr": 0.1, "weight_decay": 0.3}),
    "SGD momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "SGD dampening": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    "SGD Nesterov": ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "SGD maximize": ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    "Adam": ("Adam", {"lr": 0.05}),
    "Adam weight decay": ("Adam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    "Adam AMSGrad": ("Adam", {"lr": 0.05, "amsgrad": True, "betas": (0.3, 0.9)}),
    "Adam maximize": ("Adam", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
    "AdamW": ("AdamW", {"lr": 0.05, "weight_decay": 0.2}),
    "AdamW AMSGrad": ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
}

# S is T.optim.lr_scheduler, o the optimiser, SGD with momentum.
SCHEDULERS: dict[str, Callable[[Any, Any], Any]] = {
    "StepLR": lambda S, o: S.StepLR(o, step_size=7, gamma=0.8),
    "MultiStepLR": lambda S, o: S.MultiStepLR(o, milestones=[60, 5, 20, 20], gamma=0.3),
    "ConstantLR": lambda S, o: S.ConstantLR(o, factor=0.3, total_iters=11),
    "LinearLR": lambda S, o: S.LinearLR(o, start_factor=0.1, end_factor=0.7, total_iters=37),
    "ExponentialLR": lambda S, o: S.ExponentialLR(o, gamma=0.97),
    "PolynomialLR": lambda S, o: S.PolynomialLR(o, total_iters=61, power=1.7),
    "CosineAnnealingLR": lambda S, o: S.CosineAnnealingLR(o, T_max=23, eta_min=0.003),
    "CosineAnnealingWarmRestarts": lambda S, o: S.CosineAnnealingWarmRestarts(o, T_0=9, T_mult=2, eta_min=0.001),
    "LambdaLR": lambda S, o: S.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "MultiplicativeLR": lambda S, o: S.MultiplicativeLR(o, lambda t: 1 - 1 / (t + 2)),
    "OneCycleLR": lambda S, o: S.OneCycleLR(o, max_lr=[0.2, 0.1], total_steps=101),
    "OneCycleLR three phases": lambda S, o: S.OneCycleLR(
        o, max_lr=0.2, epochs=11, steps_per_epoch=10, three_phase=True, anneal_strategy="linear"
    ),
    "CyclicLR": lambda S, o: S.CyclicLR(o, base_lr=0.01, max_lr=[0.2, 0.1], step_size_up=8, step_size_down=5),
    "CyclicLR halving": lambda S, o: S.CyclicLR(o, 0.01, 0.2, step_size_up=8, mode="triangular2"),
    "CyclicLR shrinking": lambda S, o: S.CyclicLR(o, 0.01, 0.2, step_size_up=8, mode="exp_range", gamma=0.98),
    "SequentialLR": lambda S, o: S.SequentialLR(
        o,
        [S.LinearLR(o, total_iters=10), S.CosineAnnealingLR(o, T_max=40), S.ExponentialLR(o, gamma=0.9)],
        milestones=[10, 50],
    ),
    "ChainedScheduler": lambda S, o: S.ChainedScheduler([S.ConstantLR(o, total_iters=9), S.ExponentialLR(o, 0.98)]),
    "ReduceLROnPlateau": lambda S, o: S.ReduceLROnPlateau(o, patience=4, factor=0.5, cooldown=3, min_lr=[0.0, 0.005]),
}


class Training(NamedTuple):
    """The weights at the end, and each group's learning rate and momentum after every step."""

    weights: list[np.ndarray]
    rates: list[list[float]]


class Difference(NamedTuple):
    """The largest relative difference of the weights, and the largest of the learning rates and momenta."""

    weights: float
    rates: float


def parameters(T: Any, dtype: Any = np.float64) -> list[Any]:
    """Equal parameters of order one in library ``T``."""
    rng = np.random.default_rng(0)
    return [T.nn.Parameter(T.from_numpy(np.array(rng.standard_normal(shape), dtype))) for shape in SHAPES]


def make_optimizer(T: Any, name: str, params: list[Any]) -> Any:
    """The optimiser of that name over two groups."""
    kind, options = OPTIMIZERS[name]
    half = len(params) // 2
    groups = [{"params": params[:half]}, {"params": params[half:], "lr": options["lr"] / 4}]
    return getattr(T.optim, kind)(groups, **options)


def set_gradients(T: Any, params: list[Any], step: int) -> None:
    """g = tanh(θ − target) + noise for every parameter, the same function in both libraries."""
    rng = np.random.default_rng(1000 + step)
    for i, p in enumerate(params):
        theta = p.detach().numpy()
        g = np.tanh(theta - np.cos(i)) + 0.3 * rng.standard_normal(theta.shape)
        p.grad = T.from_numpy(np.array(g, theta.dtype))


def metric(step: int) -> float:
    """A loss that falls, stays, and falls again, for ReduceLROnPlateau."""
    return 1.0 / (1 + step if step < 30 else 31 + max(0, step - 60)) + 1e-5 * (step % 3)


def train(T: Any, optimizer: str, scheduler: str | None = None, steps: int = 100, dtype: Any = np.float64) -> Training:
    """Train in library ``T`` with entries of ``OPTIMIZERS`` and ``SCHEDULERS``."""
    params = parameters(T, dtype)
    o = make_optimizer(T, optimizer, params)
    s: Any = None if scheduler is None else SCHEDULERS[scheduler](T.optim.lr_scheduler, o)
    rates = []
    for step in range(steps):
        set_gradients(T, params, step)
        o.step()
        if scheduler == "ReduceLROnPlateau":
            s.step(metric(step))
        elif s is not None:
            s.step()
        rates.append(
            [float(x) for g in o.param_groups for x in (g["lr"], g["momentum"] if "momentum" in g else g["betas"][0])]
        )
    return Training([np.array(p.detach().numpy()) for p in params], rates)


def difference(optimizer: str, scheduler: str | None = None, steps: int = 100, dtype: Any = np.float64) -> Difference:
    """How far ndl's training ends from PyTorch's. Needs PyTorch."""
    import torch

    import ndl
    import ndl.optim

    ours, theirs = [train(T, optimizer, scheduler, steps, dtype) for T in (ndl, torch)]
    weights = max(relative_error(a, b) for a, b in zip(ours.weights, theirs.weights, strict=True))
    return Difference(weights, float(np.max(np.abs(np.array(ours.rates) - np.array(theirs.rates)))))


def training_errors(steps: int = 100, dtype: Any = np.float64) -> dict[str, Difference]:
    """``difference`` for every optimiser, and for every scheduler (on SGD with momentum, and where it moves momentum
    on Adam, too)."""
    found = {name: difference(name, None, steps, dtype) for name in OPTIMIZERS}
    for name in SCHEDULERS:
        found[name] = difference("SGD momentum", name, steps, dtype)
        if name.startswith(("OneCycle", "Cyclic")):
            found[f"{name} (Adam)"] = difference("Adam", name, steps, dtype)
    return found
