"""A multilayer perceptron learns to read handwritten digits: python experiments/mnist_mlp.py [ROOT/mnist-784]

x (N, 1, 28, 28) -> 784 pixels -> hidden layers with ReLU -> 10 scores; loss: cross-entropy.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

import ndl
from experiments.program import Presets, make_optimizer, option_parser, parsed, positive, resume, run, told
from ndl import nn, optim
from ndl.datasets import MNIST, DataNotFoundError, Digits, ImageDataset, default_root
from ndl.training import Trainer, draw_curves
from ndl.utils.data import DataLoader, TensorDataset

# Pixels are scaled to [0, 1]; then (x − mean) / standard deviation, both over the training split.
NORMALISATION = {"mnist": (0.1307, 0.3081), "digits": (0.3051, 0.3762)}
WAYS_TO_GET_IT = "python prepare_data.py --only mnist"


# -- data ------------------------------------------------------------------------------------------------------


def choose_data(root: Path | None, wanted: str) -> tuple[str, ImageDataset, ImageDataset]:
    """Name, training split and test split of the data to learn from.

    MNIST from ``root``, which must be there if it was named. Without a name: from the data root, else fetched to it,
    else scikit-learn's small digits, which need no files.
    """
    if wanted == "digits":
        if root is not None:
            raise ValueError(f"{root} was named, but the data asked for are the digits, which need no files")
        return "digits", Digits(train=True), Digits(train=False)
    if root is not None:
        return "mnist", MNIST(root, train=True), MNIST(root, train=False)
    try:
        return "mnist", MNIST(train=True), MNIST(train=False)
    except DataNotFoundError:
        print(f"MNIST is not at {default_root()}: trying to fetch it ...", flush=True)
    if fetch_mnist():
        return "mnist", MNIST(train=True), MNIST(train=False)
    if wanted == "mnist":
        raise DataNotFoundError(f"MNIST is neither at {default_root()} nor to be fetched. Run: {WAYS_TO_GET_IT}")
    print(f"MNIST cannot be fetched, so this trains on scikit-learn's 8x8 digits. For MNIST: {WAYS_TO_GET_IT}")
    return "digits", Digits(train=True), Digits(train=False)


def fetch_mnist() -> bool:
    """Fetch MNIST to the data root; whether it is there now. Gives up after a few seconds without a connection."""
    from ndl.datasets.download import DownloadError
    from ndl.datasets.prepare import prepare

    if not answered_within(seconds=4):
        return False
    try:
        prepare("mnist")
    except (DownloadError, ImportError, OSError) as error:
        print(error)
        return False
    return True


def answered_within(seconds: float) -> bool:
    """Whether one of MNIST's public homes answers in this time."""
    from ndl.datasets.published import MNIST as PUBLISHED

    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def ask(url: str) -> None:
        try:
            import requests

            answers.put(requests.head(url, timeout=seconds, allow_redirects=True).status_code < 500)
        except Exception:  # whatever it was, this home did not answer
            answers.put(False)

    for home in PUBLISHED.homes:
        url = home.replace("{name}", PUBLISHED.files[-1].name)
        threading.Thread(target=ask, args=(url,), daemon=True).start()  # looking up a name has no time limit
    end = time.monotonic() + seconds
    try:
        return any(answers.get(timeout=max(0.0, end - time.monotonic())) for _ in PUBLISHED.homes)
    except queue.Empty:
        return False


def loader(data: ImageDataset, mean: float, std: float, batch_size: int, shuffle: bool) -> DataLoader:
    """Batches of normalised float32 pictures (N, 1, H, W) and int64 labels (N,)."""
    pictures, labels = data.arrays(normalised=False)
    pictures -= mean
    pictures /= std
    return DataLoader(TensorDataset(ndl.from_numpy(pictures), ndl.from_numpy(labels)), batch_size, shuffle=shuffle)


# -- model ---------------------------------------------------------------------------------------


def mlp(pixels: int, hidden: list[int], classes: int) -> nn.Module:
    """Linear layers of these sizes, a ReLU after each but the last; He's initial weights, of variance 2 / inputs."""
    layers: list[nn.Module] = [nn.Flatten()]
    sizes = [pixels, *hidden]
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    layers.append(nn.Linear(sizes[-1], classes))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def train(
    data: tuple[str, ImageDataset, ImageDataset], settings: dict[str, Any], options: argparse.Namespace
) -> Trainer:
    """Train with these settings, from the start or from a checkpoint; returns the trainer."""
    name, train_data, test_data = data
    ndl.manual_seed(settings["seed"])
    mean, std = NORMALISATION[name]
    train_loader = loader(train_data, mean, std, settings["batch_size"], shuffle=True)
    test_loader = loader(test_data, mean, std, 1000, shuffle=False)
    model = mlp(train_data.data[0].size, settings["hidden"], len(train_data.classes))
    optimizer = make_optimizer(model.parameters(), settings)
    scheduler = None
    if settings["schedule"] == "onecycle":
        steps = settings["epochs"] * len(train_loader)
        scheduler = optim.lr_scheduler.OneCycleLR(optimizer, settings["lr"], total_steps=steps + 1)
    trainer = Trainer(
        model,
        optimizer,
        scheduler=scheduler,
        scheduler_steps="batch",
        train=train_loader,
        test=test_loader,
        classes=[f"digit {digit}" for digit in range(10)],
        checkpoint=options.checkpoint,
        settings={**settings, "data": name},
    )
    resume(trainer, options)
    print(f"{name}: {len(train_data):,} digits to train on, {len(test_data):,} to test on")
    print(told(settings, unused), flush=True)
    trainer.fit(settings["epochs"])
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title=f"MLP on {name}", loss_name="cross-entropy (nats)")
        print(f"Curves: {options.curve}")
    return trainer


# -- command line ----------------------------------------------------------------------------------------------


def unused(settings: dict[str, Any]) -> dict[str, str]:
    """Settings that change nothing beside the others, and what they count with: onecycle has a momentum of its own."""
    plain = settings["optimizer"] == "sgd" and settings["schedule"] == "none"
    return {} if plain else {"momentum": "--optimizer sgd --schedule none"}


def main(presets: Presets, arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = option_parser(__doc__, presets)
    parser.add_argument("root", nargs="?", type=Path, help="MNIST's folder, or the data root it is in")
    parser.add_argument("--data", choices=("auto", "mnist", "digits"), default="auto", help="what to learn from")
    parser.add_argument("--hidden", type=positive, nargs="+", metavar="N", help="sizes of the hidden layers")
    options = parsed(parser, arguments, presets, "runs/mnist_mlp.pt", unused)
    return run(presets, options, lambda settings, o: train(choose_data(o.root, o.data), settings, o))


if __name__ == "__main__":
    PRESETS = {
        "default": {
            "hidden": [256, 128],
            "epochs": 5,
            "batch_size": 256,
            "optimizer": "adamw",
            "schedule": "onecycle",
            "lr": 0.004,
            "momentum": 0.9,
            "weight_decay": 0.01,
            "seed": 0,
        },
        # The recipe of the project this one grew from.
        "classic": {
            "hidden": [50, 20],
            "epochs": 10,
            "batch_size": 100,
            "optimizer": "sgd",
            "schedule": "none",
            "lr": 0.0005,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "seed": 0,
        },
    }
    sys.exit(main(PRESETS))
