"""Training in ndl and in PyTorch from equal weights: after N steps of every optimiser and scheduler they stay equal.

The gradient is a function of the weights, g = tanh(θ − target) + noise, computed from each library's own weights: a
difference made in one step acts on all later ones. It is the gradient of Σ log(2 cosh(θ − target)) + noise · θ, which
L-BFGS evaluates several times a step, with the same noise. What is listed here is what stands: ``OPTIMIZERS`` and
``SCHEDULERS`` name each with its options, once, for the tests and for the table.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ndl.verify.parity import relative_error

SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (3, 5), (2, 3, 1, 4), (0, 2), (7, 4), (90, 100))

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
    "AdamW maximize": ("AdamW", {"lr": 0.01, "maximize": True}),
    "Adamax": ("Adamax", {"lr": 0.05}),
    "Adamax weight decay": ("Adamax", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    "Adamax maximize": ("Adamax", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
    "NAdam": ("NAdam", {"lr": 0.05}),
    "NAdam weight decay": ("NAdam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    "NAdam decoupled": ("NAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    "NAdam momentum decay": ("NAdam", {"lr": 0.05, "momentum_decay": 0.3, "maximize": True}),
    "RAdam": ("RAdam", {"lr": 0.05}),
    "RAdam weight decay": ("RAdam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    "RAdam decoupled": ("RAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    "RAdam never rectified": ("RAdam", {"lr": 0.05, "betas": (0.8, 0.5), "maximize": True}),
    "Adagrad": ("Adagrad", {"lr": 0.1}),
    "Adagrad decay": ("Adagrad", {"lr": 0.3, "lr_decay": 0.05, "weight_decay": 0.2, "eps": 1e-3}),
    "Adagrad initial": ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.7, "maximize": True}),
    "Adadelta": ("Adadelta", {"lr": 1.0}),
    "Adadelta weight decay": ("Adadelta", {"lr": 0.8, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.2}),
    "Adadelta maximize": ("Adadelta", {"lr": 0.8, "rho": 0.99, "eps": 1e-3, "maximize": True}),
    "RMSprop": ("RMSprop", {"lr": 0.02}),
    "RMSprop weight decay": ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.2}),
    "RMSprop momentum": ("RMSprop", {"lr": 0.005, "momentum": 0.8, "maximize": True}),
    "RMSprop centered": ("RMSprop", {"lr": 0.02, "centered": True}),
    "RMSprop centered momentum": ("RMSprop", {"lr": 0.005, "centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    "Rprop": ("Rprop", {"lr": 0.02}),
    "Rprop etas": ("Rprop", {"lr": 0.02, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.1)}),
    "Rprop maximize": ("Rprop", {"lr": 0.001, "maximize": True}),
    "ASGD": ("ASGD", {"lr": 0.1}),
    "ASGD averaging": ("ASGD", {"lr": 0.3, "lambd": 0.05, "alpha": 0.6, "t0": 20, "weight_decay": 0.1}),
    "ASGD maximize": ("ASGD", {"lr": 0.01, "maximize": True}),
    "LBFGS": ("LBFGS", {"lr": 0.4, "max_iter": 3}),
    "LBFGS history": ("LBFGS", {"lr": 0.3, "max_iter": 4, "max_eval": 3, "history_size": 2}),
    "LBFGS strong Wolfe": ("LBFGS", {"lr": 1.0, "max_iter": 3, "history_size": 5, "line_search_fn": "strong_wolfe"}),
    "Muon": ("Muon", {"lr": 0.05}),
    "Muon plain": ("Muon", {"lr": 0.05, "nesterov": False, "momentum": 0.6, "weight_decay": 0.0}),
    "Muon as AdamW": ("Muon", {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "eps": 1e-3}),
    "Muon coefficients": ("Muon", {"lr": 0.05, "ns_coefficients": (1.875, -1.25, 0.375), "ns_steps": 8}),
}


def _swa_utils(S: Any) -> Any:
    """T.optim.swa_utils beside T.optim.lr_scheduler."""
    return importlib.import_module(S.__name__.replace("lr_scheduler", "swa_utils"))


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
    "SWALR": lambda S, o: _swa_utils(S).SWALR(o, swa_lr=[0.03, 0.2], anneal_epochs=30),
    "SWALR linear": lambda S, o: _swa_utils(S).SWALR(o, swa_lr=0.03, anneal_epochs=30, anneal_strategy="linear"),
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
    """The optimiser of that name over two groups; LBFGS over one, Muon over the matrices."""
    kind, options = OPTIMIZERS[name]
    if kind == "LBFGS":
        return T.optim.LBFGS(params, **options)
    if kind == "Muon":
        params = [p for p in params if p.ndim == 2]
    half = len(params) // 2
    groups = [{"params": params[:half]}, {"params": params[half:], "lr": options["lr"] / 4}]
    return getattr(T.optim, kind)(groups, **options)


def tolerance(name: str) -> float:
    """How far apart the weights may end.

    Muon rounds to bfloat16 in every iteration, here as in PyTorch. Where the products' sums differ in their last
    float32 digit, because they are added up in another order, one rounding in thousands falls to the other side, and
    is then a difference of 2⁻⁸.
    """
    return 5e-3 if OPTIMIZERS[name][0] == "Muon" else 1e-12


def set_gradients(T: Any, params: list[Any], step: int) -> float:
    """g = tanh(θ − target) + noise for every parameter, the same function in both libraries. Returns the loss."""
    rng = np.random.default_rng(1000 + step)
    loss = 0.0
    for i, p in enumerate(params):
        theta = np.array(p.detach().numpy(), np.float64)
        noise = 0.3 * rng.standard_normal(theta.shape)
        g = np.tanh(theta - np.cos(i)) + noise
        p.grad = T.from_numpy(np.array(g, p.detach().numpy().dtype))
        loss += float(np.sum(np.logaddexp(theta - np.cos(i), np.cos(i) - theta) + noise * theta))
    return loss


def metric(step: int) -> float:
    """A loss that falls, stays, and falls again, for ReduceLROnPlateau."""
    return 1.0 / (1 + step if step < 30 else 31 + max(0, step - 60)) + 1e-5 * (step % 3)


def _momentum(group: dict[str, Any]) -> float:
    """What schedulers move as momentum; 0 where there is none."""
    return group["betas"][0] if "betas" in group else group.get("momentum", 0.0)


def train(T: Any, optimizer: str, scheduler: str | None = None, steps: int = 100, dtype: Any = np.float64) -> Training:
    """Train in library ``T`` with entries of ``OPTIMIZERS`` and ``SCHEDULERS``."""
    params = parameters(T, dtype)
    o = make_optimizer(T, optimizer, params)
    s: Any = None if scheduler is None else SCHEDULERS[scheduler](T.optim.lr_scheduler, o)
    rates = []
    for step in range(steps):
        o.step(lambda step=step: set_gradients(T, params, step))
        if scheduler == "ReduceLROnPlateau":
            s.step(metric(step))
        elif s is not None:
            s.step()
        rates.append([float(x) for g in o.param_groups for x in (g["lr"], _momentum(g))])
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
