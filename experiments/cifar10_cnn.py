"""A convolutional network learns to tell ten kinds of things apart: python experiments/cifar10_cnn.py [ROOT]

ROOT is the folder cifar-10-batches-py, or the data root it is in.

x (N, 3, 32, 32) -> convolutions with BatchNorm, ReLU and pooling -> 10 scores; loss: cross-entropy.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

import numpy as np

import ndl
from experiments.program import Presets, make_optimizer, option_parser, parsed, positive, run
from ndl import nn, optim
from ndl.datasets import CIFAR10, ImageDataset
from ndl.training import Trainer, draw_curves
from ndl.utils.data import DataLoader, TensorDataset

CLASSES = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


# -- data ------------------------------------------------------------------------------------------------------


def loader(data: ImageDataset, batch_size: int, shuffle: bool) -> DataLoader:
    """Batches of normalised float32 pictures (N, 3, 32, 32) and int64 labels (N,)."""
    pictures, labels = data.arrays()
    dataset = TensorDataset(ndl.from_numpy(pictures), ndl.from_numpy(labels))
    return DataLoader(dataset, batch_size, shuffle=shuffle, drop_last=shuffle)


class ShiftAndFlip:
    """Each picture moved by up to ``pad`` pixels, the border reflected, and half of them mirrored."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, x: ndl.Tensor) -> ndl.Tensor:
        pictures = x.numpy()
        n, _, height, width = pictures.shape
        p = self.pad
        bordered = np.pad(pictures, ((0, 0), (0, 0), (p, p), (p, p)), mode="reflect")
        down, right = (ndl.randint(2 * p + 1, (n,)).numpy() for _ in range(2))
        mirrored = ndl.rand(n).numpy() < 0.5
        moved = np.empty_like(pictures)
        for i in range(n):
            part = bordered[i, :, down[i] : down[i] + height, right[i] : right[i] + width]
            moved[i] = part[:, :, ::-1] if mirrored[i] else part
        return ndl.from_numpy(moved)


# -- networks --------------------------------------------------------------------------------------------------


def classic() -> nn.Module:
    """The network of the project this one grew from: three convolutions and three linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 8, 16, 16)
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 16, 8, 8)
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),  # (N, 32, 4, 4)
        nn.Flatten(),
        nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def block(n: int, m: int, pool: bool = False) -> nn.Sequential:
    """Convolution 3x3, BatchNorm, ReLU, and where asked for a pooling that halves height and width."""
    layers: list[nn.Module] = [nn.Conv2d(n, m, 3, padding=1, bias=False)]
    if pool:
        layers.append(nn.MaxPool2d(2))  # before BatchNorm and ReLU, which then have a quarter of the work
    return nn.Sequential(*layers, nn.BatchNorm2d(m), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """x + f(x), with two convolutions in f."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.body = nn.Sequential(block(n, n), block(n, n))

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        return x + self.body(x)


def resnet9(width: int) -> nn.Module:
    """Nine layers of width, 2, 4 and 4 times width channels, two of the stages residual (after D. Page, 2018)."""
    w = width
    return nn.Sequential(
        block(3, w),  # (N, w, 32, 32)
        block(w, 2 * w, pool=True), Residual(2 * w),  # (N, 2w, 16, 16)
        block(2 * w, 4 * w, pool=True),  # (N, 4w, 8, 8)
        block(4 * w, 4 * w, pool=True), Residual(4 * w),  # (N, 4w, 4, 4)
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4 * w, 10),
    )  # fmt: skip


def train(settings: dict[str, Any], options: argparse.Namespace) -> Trainer:
    """Train with these settings, from the start or from a checkpoint; returns the trainer."""
    train_data, test_data = CIFAR10(options.root, train=True), CIFAR10(options.root, train=False)
    ndl.manual_seed(settings["seed"])
    train_loader = loader(train_data, settings["batch_size"], shuffle=True)
    test_loader = loader(test_data, 500, shuffle=False)
    model = classic() if settings["width"] == 0 else resnet9(settings["width"])
    optimizer = make_optimizer(model.parameters(), settings)
    if isinstance(optimizer, optim.SGD):
        optimizer.param_groups[0]["nesterov"] = settings["momentum"] > 0 and settings["width"] > 0
    scheduler = None
    if settings["schedule"] == "onecycle":
        steps = settings["epochs"] * len(train_loader)
        scheduler = optim.lr_scheduler.OneCycleLR(
            optimizer, settings["lr"], total_steps=steps + 1, pct_start=0.25, cycle_momentum=False
        )
    trainer = Trainer(
        model,
        optimizer,
        nn.CrossEntropyLoss(label_smoothing=settings["label_smoothing"]),
        scheduler,
        scheduler_steps="batch",
        train=train_loader,
        test=test_loader,
        classes=CLASSES,
        transform=ShiftAndFlip(settings["shift"]) if settings["shift"] else None,
        checkpoint=options.checkpoint,
        settings={**settings, "data": "cifar10"},
    )
    if options.resume is not None:
        trainer.resume(options.resume)
    print(f"cifar10: {len(train_data):,} pictures to train on, {len(test_data):,} to test on")
    print(", ".join(f"{key} {value}" for key, value in settings.items()), flush=True)
    trainer.fit(settings["epochs"])
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title="CNN on CIFAR-10", loss_name="cross-entropy (nats)")
        print(f"Curves: {options.curve}")
    return trainer


# -- command line ----------------------------------------------------------------------------------------------


def main(presets: Presets, arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = option_parser(__doc__, presets)
    parser.add_argument("root", nargs="?", type=Path, help="the folder cifar-10-batches-py, or the data root it is in")
    parser.add_argument("--width", type=positive, help="channels of the first layer")
    parser.add_argument("--label-smoothing", type=float)
    parser.add_argument("--shift", type=int, help="pixels by which pictures may be moved; 0: no augmentation")
    return run(presets, parsed(parser, arguments, "runs/cifar10_cnn.pt"), train)


if __name__ == "__main__":
    PRESETS = {
        "default": {
            "width": 32,
            "epochs": 9,
            "batch_size": 256,
            "optimizer": "sgd",
            "schedule": "onecycle",
            "lr": 0.4,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "label_smoothing": 0.1,
            "shift": 4,
            "seed": 0,
        },
        "best": {
            "width": 64,
            "epochs": 24,
            "batch_size": 256,
            "optimizer": "sgd",
            "schedule": "onecycle",
            "lr": 0.4,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "label_smoothing": 0.1,
            "shift": 4,
            "seed": 0,
        },
        # The recipe of the project this one grew from. Width 0 is its network.
        "classic": {
            "width": 0,
            "epochs": 10,
            "batch_size": 16,
            "optimizer": "sgd",
            "schedule": "none",
            "lr": 0.001,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "shift": 0,
            "seed": 0,
        },
    }
    sys.exit(main(PRESETS))
