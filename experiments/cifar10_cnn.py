"""A convolutional network learns to tell ten kinds of things apart: python experiments/cifar10_cnn.py [ROOT]

ROOT is the folder cifar-10-batches-py, or the data root it is in.

x (N, 3, 32, 32) -> convolutions with BatchNorm, GELU and pooling -> 10 scores; loss: cross-entropy. The networks and
the recipe are in cifar10_networks.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not


import ndl
from experiments.cifar10_networks import (
    CLASSES,
    PAD,
    classic,
    groups,
    lookahead,
    quick,
    shift_and_flip,
    six_views,
    triangle,
)
from experiments.program import Presets, make_optimizer, option_parser, parsed, positive, run
from ndl import nn, optim
from ndl.datasets import CIFAR10, ImageDataset
from ndl.training import Trainer, draw_curves
from ndl.utils.data import DataLoader, TensorDataset


def loader(data: ImageDataset, batch_size: int, shuffle: bool) -> DataLoader:
    """Batches of normalised float32 pictures (N, 3, 32, 32) and int64 labels (N,)."""
    pictures, labels = data.arrays()
    dataset = TensorDataset(ndl.from_numpy(pictures), ndl.from_numpy(labels))
    return DataLoader(dataset, batch_size, shuffle=shuffle, drop_last=shuffle)


def moved(x: ndl.Tensor) -> ndl.Tensor:
    """The pictures of a batch, each moved by up to PAD pixels and half of them mirrored."""
    down, right = (ndl.randint(2 * PAD + 1, (len(x),)).numpy() for _ in range(2))
    return ndl.from_numpy(shift_and_flip(x.numpy(), down, right, ndl.rand(len(x)).numpy() < 0.5))


def accuracy_of_views(model: nn.Module, batches: DataLoader) -> float:
    """The share of pictures told right by ``six_views``."""
    model.eval()
    right = 0
    with ndl.no_grad():
        for x, y in batches:
            right += int((six_views(ndl, model, x).argmax(1) == y).sum().item())
    return right / len(batches.dataset)


def train(settings: dict[str, Any], options: argparse.Namespace) -> Trainer:
    """Train with these settings, from the start or from a checkpoint; returns the trainer."""
    train_data, test_data = CIFAR10(options.root, train=True), CIFAR10(options.root, train=False)
    ndl.manual_seed(settings["seed"])
    train_loader = loader(train_data, settings["batch_size"], shuffle=True)
    test_loader = loader(test_data, 500, shuffle=False)
    steps = settings["epochs"] * len(train_loader)
    lr, decay = settings["lr"], settings["weight_decay"]
    scheduler: Any = None
    if settings["network"] == "classic":
        model = classic(ndl)
        optimizer = make_optimizer(model.parameters(), settings)
        if settings["schedule"] == "onecycle":
            scheduler = optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps + 1, cycle_momentum=False)
    else:
        model = quick(ndl, train_data.arrays()[0], settings["width"])
        optimizer = lookahead(ndl)(
            groups(ndl, model, lr, decay), steps, lr=lr, momentum=settings["momentum"], nesterov=True
        )
        scheduler = optim.lr_scheduler.LambdaLR(optimizer, triangle(steps))
    trainer = Trainer(
        model,
        optimizer,
        nn.CrossEntropyLoss(label_smoothing=settings["label_smoothing"]),
        scheduler,
        scheduler_steps="batch",
        train=train_loader,
        test=test_loader,
        classes=CLASSES,
        transform=moved if settings["moved"] else None,
        checkpoint=options.checkpoint,
        settings={**settings, "data": "cifar10"},
    )
    if options.resume is not None:
        trainer.resume(options.resume)
    print(f"cifar10: {len(train_data):,} pictures to train on, {len(test_data):,} to test on")
    print(", ".join(f"{key} {value}" for key, value in settings.items()), flush=True)
    trainer.fit(settings["epochs"])
    if settings["moved"]:
        accuracy = accuracy_of_views(model, test_loader)
        print(f"Test accuracy when six views of each picture are averaged: {accuracy:.3f}")
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title="CNN on CIFAR-10", loss_name="cross-entropy (nats)")
        print(f"Curves: {options.curve}")
    return trainer


# -- command line ----------------------------------------------------------------------------------------------


def main(presets: Presets, arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = option_parser(__doc__, presets)
    parser.add_argument("root", nargs="?", type=Path, help="the folder cifar-10-batches-py, or the data root it is in")
    parser.add_argument("--width", type=positive, help="channels of the first third of the quick network")
    parser.add_argument("--label-smoothing", type=float)
    return run(presets, parsed(parser, arguments, "runs/cifar10_cnn.pt"), train)


if __name__ == "__main__":
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
    PRESETS = {
        "default": QUICK,
        "best": {**QUICK, "epochs": 12},
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
    sys.exit(main(PRESETS))
