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
from experiments.cifar10_networks import CLASSES, PAD, POSSIBLE, PRESETS, recipe, shift_and_flip, six_views
from experiments.program import SCHEDULES, momentum_of_sgd, option_parser, parsed, positive, resume, run, told
from ndl import nn
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
    train_loader = loader(train_data, settings["batch_size"], shuffle=True)
    test_loader = loader(test_data, 500, shuffle=False)
    steps = settings["epochs"] * len(train_loader)
    model, optimizer, scheduler, loss = recipe(ndl, settings, train_data.arrays()[0], steps)
    trainer = Trainer(
        model,
        optimizer,
        loss,
        scheduler,
        scheduler_steps="batch",
        train=train_loader,
        test=test_loader,
        classes=CLASSES,
        transform=moved if settings["moved"] else None,
        checkpoint=options.checkpoint,
        settings={**settings, "data": "cifar10"},
    )
    resume(trainer, options)
    print(f"cifar10: {len(train_data):,} pictures to train on, {len(test_data):,} to test on")
    print(told(settings, unused), flush=True)
    trainer.fit(settings["epochs"])
    if settings["moved"]:
        accuracy = accuracy_of_views(model, test_loader)
        print(f"Test accuracy when six views of each picture are averaged: {accuracy:.3f}")
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title="CNN on CIFAR-10", loss_name="cross-entropy (nats)")
        print(f"Curves: {options.curve}")
    return trainer


# -- command line ----------------------------------------------------------------------------------------------


def unused(settings: dict[str, Any]) -> dict[str, str]:
    """Settings that change nothing beside the others, and what they count with."""
    width = {"width": "the quick network, not with --preset classic"} if settings["network"] == "classic" else {}
    return {**momentum_of_sgd(settings), **width}


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = option_parser(__doc__, PRESETS, (*SCHEDULES, "triangle"))
    parser.add_argument("root", nargs="?", type=Path, help="the folder cifar-10-batches-py, or the data root it is in")
    parser.add_argument("--width", type=positive, help="channels of the first third of the quick network")
    parser.add_argument("--label-smoothing", type=float)
    options = parsed(parser, arguments, PRESETS, "runs/cifar10_cnn.pt", unused)
    if options.settings is not None:
        network = options.settings["network"]
        for key, possible in POSSIBLE[network].items():
            if (value := options.settings[key]) not in possible:
                parser.error(f"--{key} {value}: the {network} network is trained with {' or '.join(possible)} only")
    return run(PRESETS, options, train)


if __name__ == "__main__":
    sys.exit(main())
