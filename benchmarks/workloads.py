"""The workloads: whole training steps, written once and run with ``T`` = ndl or torch.

A workload is a function ``make(T)`` that returns ``step()``; the step runs one batch through forward pass, loss,
backward pass and optimiser, and returns the loss. Inputs and initial weights come from NumPy, equal for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

WORKLOADS: dict[str, Callable[[Any], Callable[[], float]]] = {}


def workload(name: str) -> Callable:
    """Register a workload under its name."""

    def register(make: Callable) -> Callable:
        WORKLOADS[name] = make
        return make

    return register


def equal_weights(T: Any, model: Any, seed: int = 0) -> Any:
    """Overwrite the parameters with the same numbers in both libraries, scaled as Kaiming asks."""
    rng = np.random.default_rng(seed)
    with T.no_grad():
        for p in model.parameters():
            shape = tuple(p.shape)
            if len(shape) > 1:
                fan_in = int(np.prod(shape[1:]))
                values = rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
                p.copy_(T.from_numpy(values.astype(np.float32)))
    return model


def classifier_step(T: Any, model: Any, shape: tuple, optimizer: Any, batches: int = 4) -> Callable[[], float]:
    """A step of supervised classification over a few batches that are made once."""
    rng = np.random.default_rng(1)
    data = [
        (
            T.from_numpy(rng.standard_normal(shape).astype(np.float32)),
            T.from_numpy(rng.integers(0, 10, shape[0])),
        )
        for _ in range(batches)
    ]
    loss_function = T.nn.CrossEntropyLoss()
    count = 0

    def step() -> float:
        nonlocal count
        x, t = data[count % batches]
        count += 1
        optimizer.zero_grad()
        loss = loss_function(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _sgd(T: Any, model: Any, lr: float = 0.01) -> Any:
    return T.optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def mlp(T: Any, sizes: list[int]) -> Any:
    """Linear layers with ReLU between them."""
    layers: list = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [T.nn.Linear(n, m), T.nn.ReLU()]
    return equal_weights(T, T.nn.Sequential(*layers[:-1]))


@workload("mlp 784-50-20-10, batch 100")
def small_mlp(T: Any) -> Callable[[], float]:
    model = mlp(T, [784, 50, 20, 10])
    return classifier_step(T, model, (100, 784), _sgd(T, model))


@workload("mlp 784-1024-1024-10, batch 256")
def wide_mlp(T: Any) -> Callable[[], float]:
    model = mlp(T, [784, 1024, 1024, 10])
    return classifier_step(T, model, (256, 784), _sgd(T, model))
