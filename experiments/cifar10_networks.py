"""The networks and recipes of the CIFAR-10 experiment, written once and made with ``T`` = ndl or torch.

``classic`` is the network of the project this one grew from. ``quick`` follows K. Jordan, *94% on CIFAR-10 in 3.29
Seconds on a Single GPU* (2024, arXiv 2404.00498): a first layer that decorrelates neighbouring pixels and is not
trained, six convolutions that begin as the identity where they can, BatchNorm without scales, and a learning rate for
biases that is 64 times that of the weights.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from experiments.program import OPTIMIZERS, SCHEDULES, Presets, make_optimizer

CLASSES = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
BIAS_SCALE = 64
PAD = 2  # pixels by which a training picture is moved at most


def classic(T: Any) -> Any:
    """Three convolutions and three linear layers."""
    nn = T.nn
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 8, 16, 16)
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 16, 8, 8)
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),  # (N, 32, 4, 4)
        nn.Flatten(),
        nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def quick(T: Any, pictures: np.ndarray, width: int = 64) -> Any:
    """Whitened 2x2 patches, then three groups of two convolutions with ``width``, 4·width and 4·width channels.

    ``pictures`` (N, 3, 32, 32) are normalised training pictures, from which the first layer is computed.
    """
    nn = T.nn
    first = nn.Conv2d(3, 24, 2)  # (N, 24, 31, 31)
    with T.no_grad():
        first.weight.copy_(T.from_numpy(whitening_filters(pictures[:5000])))
        first.bias.zero_()
    first.weight.requires_grad = False
    layers: list[Any] = [first, nn.GELU(approximate="tanh")]
    for n, m in itertools.pairwise((24, width, 4 * width, 4 * width)):  # (N, m, 15, 15), (…, 7, 7), (…, 3, 3)
        layers += [_convolution(T, n, m), nn.MaxPool2d(2), _norm(T, m), nn.GELU(approximate="tanh")]
        layers += [_convolution(T, m, m), _norm(T, m), nn.GELU(approximate="tanh")]
    return nn.Sequential(
        *layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(4 * width, 10, bias=False), _scaled(T, 1 / 9)
    )


def whitening_filters(pictures: np.ndarray) -> np.ndarray:
    """Filters whose outputs over 2x2 patches are uncorrelated and of variance 1, and their negatives. (24, 3, 2, 2)

    With the covariance of the patches C = V Λ Vᵀ they are the rows of Λ^(-1/2) Vᵀ.
    """
    patches = np.lib.stride_tricks.sliding_window_view(pictures, (2, 2), axis=(2, 3))  # (N, 3, 31, 31, 2, 2)
    rows = patches.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 12).astype(np.float64)
    eigenvalues, V = np.linalg.eigh(rows.T @ rows / len(rows))
    filters = (V / np.sqrt(eigenvalues + 5e-4)).T[::-1].reshape(12, 3, 2, 2)
    return np.concatenate([filters, -filters]).astype(np.float32)


def _convolution(T: Any, n: int, m: int) -> Any:
    layer = T.nn.Conv2d(n, m, 3, padding=1, bias=False)
    with T.no_grad():
        T.nn.init.dirac_(layer.weight[:n])  # the first n results begin as the n inputs
    return layer


def _norm(T: Any, m: int) -> Any:
    norm = T.nn.BatchNorm2d(m, momentum=0.4, eps=1e-12)
    norm.weight.requires_grad = False
    return norm


def _scaled(T: Any, factor: float) -> Any:
    """A module that makes the scores smaller at the start: y = factor · x."""

    class Scaled(T.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x * factor

    return Scaled()


# -- the recipe ------------------------------------------------------------------------------------------------

QUICK = {
    "network": "quick",
    "width": 64,
    "epochs": 6,
    "batch_size": 512,
    "optimizer": "sgd",
    "schedule": "triangle",
    "lr": 0.75,
    "momentum": 0.85,
    "weight_decay": 0.00133,
    "label_smoothing": 0.2,
    "moved": True,
    "seed": 0,
}
PRESETS: Presets = {
    "default": QUICK,
    "best": {**QUICK, "epochs": 20},
    # The recipe of the project this one grew from.
    "classic": {
        "network": "classic",
        "width": 0,
        "epochs": 10,
        "batch_size": 16,
        "optimizer": "sgd",
        "schedule": "none",
        "lr": 0.001,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "moved": False,
        "seed": 0,
    },
}
# What each network can be trained with.
POSSIBLE: dict[str, dict[str, tuple[str, ...]]] = {
    "quick": {"optimizer": ("sgd",), "schedule": ("triangle",)},
    "classic": {"optimizer": OPTIMIZERS, "schedule": SCHEDULES},
}


def recipe(T: Any, settings: dict[str, Any], pictures: np.ndarray, steps: int) -> tuple[Any, Any, Any, Any]:
    """Model, optimiser, scheduler (or None) and loss, for a training of so many steps on these pictures."""
    T.manual_seed(settings["seed"])
    lr, scheduler = settings["lr"], None
    loss = T.nn.CrossEntropyLoss(label_smoothing=settings["label_smoothing"])
    schedulers = T.optim.lr_scheduler
    if settings["network"] == "classic":
        model = classic(T)
        optimizer = make_optimizer(model.parameters(), settings, T)
        if settings["schedule"] == "onecycle":
            scheduler = schedulers.OneCycleLR(optimizer, lr, total_steps=steps + 1, cycle_momentum=False)
        return model, optimizer, scheduler, loss
    model = quick(T, pictures, settings["width"])
    rates = groups(T, model, lr, settings["weight_decay"])
    optimizer = lookahead(T)(rates, steps, lr=lr, momentum=settings["momentum"], nesterov=True)
    return model, optimizer, schedulers.LambdaLR(optimizer, triangle(steps)), loss


def groups(T: Any, model: Any, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups: BatchNorm's biases learn BIAS_SCALE times as fast as the rest, and decay equally fast."""
    norms = [m for m in model.modules() if isinstance(m, T.nn.BatchNorm2d)]
    biases = [m.bias for m in norms]
    others = [p for p in model.parameters() if p.requires_grad and not any(p is b for b in biases)]
    return [
        {"params": others, "lr": lr, "weight_decay": weight_decay},
        {"params": biases, "lr": lr * BIAS_SCALE, "weight_decay": weight_decay / BIAS_SCALE},
    ]


def triangle(total: int) -> Any:
    """The learning rate's factor at a step: 0.2 → 1 over the first 23 % of the steps, then → 0.07 at the end."""
    peak = 0.23 * total
    return lambda step: 0.2 + 0.8 * step / peak if step < peak else 1 - 0.93 * (step - peak) / max(1.0, total - peak)


def lookahead(T: Any) -> type:
    """SGD whose weights are drawn back to their own slow average every fifth step (after Zhang et al. 2019).

    slow ← d^5·slow + (1 − d^5)·w and w ← slow, where d = 0.95 (step / total)³: early on the average follows at once.
    """

    class LookaheadSGD(T.optim.SGD):  # type: ignore[misc, name-defined]
        def __init__(self, params: Any, total: int, **options: Any) -> None:
            super().__init__(params, **options)
            self.total = total

        def step(self, closure: Any = None) -> Any:
            loss = super().step(closure)
            with T.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        n = state["steps"] = state.get("steps", 0) + 1
                        if "slow" not in state:
                            state["slow"] = p.detach().clone()
                        if n % 5 == 0:
                            state["slow"].lerp_(p, 1 - 0.95**5 * (n / self.total) ** 3)
                            p.copy_(state["slow"])
            return loss

    return LookaheadSGD


def shift_and_flip(pictures: np.ndarray, down: np.ndarray, right: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Each picture moved by 0 to 2·PAD pixels, of which PAD is the middle, its border reflected; mirrored where asked."""
    n, _, height, width = pictures.shape
    p = PAD
    bordered = np.pad(pictures, ((0, 0), (0, 0), (p, p), (p, p)), mode="reflect")
    moved = np.empty_like(pictures)
    for i in range(n):
        part = bordered[i, :, down[i] : down[i] + height, right[i] : right[i] + width]
        moved[i] = part[:, :, ::-1] if mirrored[i] else part
    return moved


def six_views(T: Any, model: Any, x: Any) -> Any:
    """Scores averaged over a picture, moved up left and down right by one pixel, and the mirror images of all three."""
    bordered = T.nn.functional.pad(x, (1, 1, 1, 1), "reflect")
    total: Any = 0
    for view, weight in ((x, 0.25), (bordered[:, :, :32, :32], 0.125), (bordered[:, :, 2:, 2:], 0.125)):
        total = total + weight * (model(view) + model(view.flip(3)))
    return total
