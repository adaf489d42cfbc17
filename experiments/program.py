"""What the experiments share: options over presets, resuming with a checkpoint's settings, exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ndl import optim
from ndl.datasets import DamagedDataError, DataNotFoundError
from ndl.training import TrainingInterrupted
from ndl.training.checkpoint import read_checkpoint

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("none", "onecycle", "triangle")

Presets = dict[str, dict[str, Any]]


def option_parser(description: str | None, presets: Presets) -> argparse.ArgumentParser:
    """The options every experiment has; those that are not given are None."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(presets), help="settings to begin with (default: default)")
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
    parser.add_argument("--checkpoint", type=Path, help="written after each epoch (runs/…, or what is resumed)")
    parser.add_argument("--no-checkpoint", action="store_true", help="write none")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on from a checkpoint, with its settings")
    return parser


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}; wanted 1 or more")
    return number


def parsed(parser: argparse.ArgumentParser, arguments: list[str] | None, file: str) -> argparse.Namespace:
    """The options; the checkpoint goes to ``file`` unless they say otherwise."""
    options = parser.parse_args(arguments)
    if options.no_checkpoint:
        options.checkpoint = None
    elif options.checkpoint is None:
        options.checkpoint = options.resume or Path(file)
    # What would only fail after the training is refused before it.
    if options.curve is not None and not options.curve.parent.is_dir():
        parser.error(f"--curve {options.curve}: the folder {options.curve.parent} does not exist")
    if options.curve is not None and options.curve.suffix not in (".png", ".svg", ".pdf"):
        parser.error(f"--curve {options.curve}: wanted a name that ends in .png, .svg or .pdf")
    if options.checkpoint is not None and options.checkpoint.is_dir():
        parser.error(f"--checkpoint {options.checkpoint} is a folder; wanted a file")
    if options.lr is not None and not 0 <= options.lr < float("inf"):
        parser.error(f"--lr {options.lr}: wanted a number from 0 up")
    if options.momentum is not None and not 0 <= options.momentum < 1:
        parser.error(f"--momentum {options.momentum}: wanted a number from 0 to below 1")
    return options


def combine(preset: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The preset's settings with those that the command line gives."""
    given = {key: value for key in preset if (value := getattr(options, key, None)) is not None}
    return {**preset, **given}


def resumed(options: argparse.Namespace, presets: Presets) -> dict[str, Any]:
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


def run(
    presets: Presets, options: argparse.Namespace, learn: Callable[[dict[str, Any], argparse.Namespace], Any]
) -> int:
    """``learn(settings, options)`` with the settings that were asked for. Returns the program's exit code.

    0 when trained, 1 after an error, 130 after Ctrl-C.
    """
    try:
        if options.resume is None:
            settings = combine(presets[options.preset or "default"], options)
        else:
            settings = resumed(options, presets)
            options.data = settings.pop("data")
        learn(settings, options)
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


def make_optimizer(parameters: Any, settings: dict[str, Any]) -> optim.Optimizer:
    """The optimiser named in the settings."""
    lr, decay = settings["lr"], settings["weight_decay"]
    if settings["optimizer"] == "sgd":
        return optim.SGD(parameters, lr=lr, momentum=settings["momentum"], weight_decay=decay)
    kind = optim.AdamW if settings["optimizer"] == "adamw" else optim.Adam
    return kind(parameters, lr=lr, weight_decay=decay)
