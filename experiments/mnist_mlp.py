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
from ndl import nn, optim
from ndl.datasets import MNIST, DamagedDataError, DataNotFoundError, Digits, ImageDataset, default_root
from ndl.training import Trainer, TrainingInterrupted, draw_curves
from ndl.training.checkpoint import read_checkpoint
from ndl.utils.data import DataLoader, TensorDataset

# Pixels are scaled to [0, 1]; then (x − mean) / standard deviation, both over the training split.
NORMALISATION = {"mnist": (0.1307, 0.3081), "digits": (0.3051, 0.3762)}
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("none", "onecycle")
WAYS_TO_GET_IT = "python prepare_data.py --only mnist"


# -- data ------------------------------------------------------------------------------------------------------


def choose_data(root: Path | None, wanted: str) -> tuple[str, ImageDataset, ImageDataset]:
    """Name, training split and test split of the data to learn from.

    MNIST from ``root``, which must be there if it was named. Without a name: from the data root, else fetched to it,
    else scikit-learn's small digits, which need no files.
    """
    if wanted == "digits":
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


# -- model and optimiser ---------------------------------------------------------------------------------------


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


def make_optimizer(parameters: Any, settings: dict[str, Any]) -> optim.Optimizer:
    """The optimiser named in the settings."""
    lr, decay = settings["lr"], settings["weight_decay"]
    if settings["optimizer"] == "sgd":
        return optim.SGD(parameters, lr=lr, momentum=settings["momentum"], weight_decay=decay)
    kind = optim.AdamW if settings["optimizer"] == "adamw" else optim.Adam
    return kind(parameters, lr=lr, weight_decay=decay)


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
    if options.resume is not None:
        trainer.resume(options.resume)
    print(f"{name}: {len(train_data):,} digits to train on, {len(test_data):,} to test on")
    print(", ".join(f"{key} {value}" for key, value in settings.items()), flush=True)
    trainer.fit(settings["epochs"])
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title=f"MLP on {name}", loss_name="cross-entropy (nats)")
        print(f"Curves: {options.curve}")
    return trainer


# -- command line ----------------------------------------------------------------------------------------------


def parse(arguments: list[str] | None, presets: dict[str, dict[str, Any]]) -> argparse.Namespace:
    """The options; those that were not given are None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, help="MNIST's folder, or the data root it is in")
    parser.add_argument("--preset", choices=list(presets), help="settings to begin with (default: default)")
    parser.add_argument("--data", choices=("auto", "mnist", "digits"), default="auto", help="what to learn from")
    parser.add_argument("--hidden", type=positive, nargs="+", metavar="N", help="sizes of the hidden layers")
    parser.add_argument("--epochs", type=positive)
    parser.add_argument("--batch-size", type=positive)
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate")
    parser.add_argument("--lr", type=float, help="learning rate; with onecycle, the highest")
    parser.add_argument("--momentum", type=float, help="of sgd")
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--curve", type=Path, default=Path("metrics.png"), help="where the curves go (metrics.png)")
    parser.add_argument("--no-curve", dest="curve", action="store_const", const=None, help="draw no curves")
    parser.add_argument(
        "--checkpoint", type=Path, help="written after each epoch (runs/mnist_mlp.pt, or what is resumed)"
    )
    parser.add_argument("--no-checkpoint", action="store_true", help="write none")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on from a checkpoint, with its settings")
    options = parser.parse_args(arguments)
    if options.no_checkpoint:
        options.checkpoint = None
    elif options.checkpoint is None:
        options.checkpoint = options.resume or Path("runs/mnist_mlp.pt")
    return options


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}; wanted 1 or more")
    return number


def combine(preset: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The preset's settings with those that the command line gives."""
    given = {key: getattr(options, key) for key in preset if getattr(options, key) is not None}
    return {**preset, **given}


def resumed(options: argparse.Namespace, presets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The settings of the checkpoint. More epochs may be asked for, unless the learning rate's schedule ends.

    Raises ValueError if the command line asks for something else than the checkpoint has.
    """
    saved = read_checkpoint(options.resume)["settings"]
    wanted = combine(saved, argparse.Namespace(**{**vars(options), "data": None}))
    if options.preset is not None:
        wanted = {**presets[options.preset], "data": saved["data"]}
    changed = [key for key in wanted if wanted[key] != saved[key]]
    if changed and not (changed == ["epochs"] and saved["schedule"] == "none"):
        what = ", ".join(f"{key} {wanted[key]} (it has {saved[key]})" for key in changed)
        raise ValueError(f"--resume {options.resume} goes on with the settings it has; leave out what differs: {what}")
    return wanted


def main(presets: dict[str, dict[str, Any]], arguments: list[str] | None = None) -> int:
    """Run the program. Its exit code: 0 when trained, 1 after an error, 130 after Ctrl-C."""
    options = parse(arguments, presets)
    try:
        if options.resume is None:
            settings = combine(presets[options.preset or "default"], options)
        else:
            settings = resumed(options, presets)
            options.data = settings.pop("data")
        train(choose_data(options.root, options.data), settings, options)
    except TrainingInterrupted as stop:
        print(stop, file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("Interrupted before there was anything to save.", file=sys.stderr)
        return 130
    except (DamagedDataError, DataNotFoundError, ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


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
