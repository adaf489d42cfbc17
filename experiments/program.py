"""What the experiments share: options over presets, what is refused, resuming with a checkpoint's settings, exit codes.

What would only fail after the training is refused before it, and so is an option that would change nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ndl
from ndl.datasets import DamagedDataError, DataNotFoundError
from ndl.training import Trainer, TrainingInterrupted
from ndl.training.checkpoint import read_checkpoint

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("none", "onecycle")

Presets = dict[str, dict[str, Any]]
Unused = Callable[[dict[str, Any]], dict[str, str]]  # settings -> {one that changes nothing: what it counts with}


def option_parser(
    description: str | None, presets: Presets, schedules: Sequence[str] = SCHEDULES
) -> argparse.ArgumentParser:
    """The options every experiment has; those that are not given are None."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(presets), help="settings to begin with (default: default)")
    parser.add_argument("--epochs", type=positive)
    parser.add_argument("--batch-size", type=positive)
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--schedule", choices=schedules, help="of the learning rate")
    parser.add_argument("--lr", type=float, help="learning rate; with onecycle, the highest")
    parser.add_argument("--momentum", type=float, help="of sgd")
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--curve", type=Path, default=Path("metrics.png"), help="where the curves go (metrics.png)")
    parser.add_argument("--no-curve", dest="curve", action="store_const", const=None, help="draw no curves")
    file = parser.add_mutually_exclusive_group()
    file.add_argument("--checkpoint", type=Path, help="written after each epoch (runs/…, or what is resumed)")
    file.add_argument("--no-checkpoint", action="store_true", help="write none")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on from a checkpoint, with its settings")
    return parser


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}; wanted 1 or more")
    return number


def momentum_of_sgd(settings: dict[str, Any]) -> dict[str, str]:
    """``Unused`` for a program with the options of all: Adam's betas stay what they are."""
    return {} if settings["optimizer"] == "sgd" else {"momentum": "--optimizer sgd"}


def parsed(
    parser: argparse.ArgumentParser,
    arguments: list[str] | None,
    presets: Presets,
    file: str,
    unused: Unused = momentum_of_sgd,
) -> argparse.Namespace:
    """The options, and in ``settings`` those of the training (None if they are a checkpoint's).

    The checkpoint goes to ``file`` unless the options say otherwise.
    """
    options = parser.parse_args(arguments)
    if options.no_checkpoint:
        options.checkpoint = None
    elif options.checkpoint is None:
        options.checkpoint = options.resume or Path(file)
    if options.curve is not None:
        refuse_picture(parser, "curve", options.curve)
    if options.checkpoint is not None:
        refuse_file(parser, "checkpoint", options.checkpoint)
    if options.lr is not None and not 0 <= options.lr < float("inf"):
        parser.error(f"--lr {options.lr}: wanted a number from 0 up")
    if options.momentum is not None and not 0 <= options.momentum < 1:
        parser.error(f"--momentum {options.momentum}: wanted a number from 0 to below 1")
    options.settings = None
    if options.resume is None:
        options.settings = combine(presets[options.preset or "default"], options)
        for key, needed in unused(options.settings).items():
            if getattr(options, key) is not None:
                parser.error(f"--{key.replace('_', '-')} changes nothing here: it counts only with {needed}")
    return options


def refuse_file(parser: argparse.ArgumentParser, option: str, path: Path) -> None:
    """End the program if this file cannot be written."""
    folder = path.resolve().parent
    try:
        if path.exists() and not path.is_file():
            parser.error(f"--{option} {path} is {'a folder' if path.is_dir() else 'no file'}; wanted a file")
        while not folder.exists():  # it will be made
            folder = folder.parent
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        why = f"{folder}: {error.strerror}"
        parser.error(f"--{option} {path} cannot be written ({why}); name another file, or give --no-{option}")


def refuse_picture(parser: argparse.ArgumentParser, option: str, path: Path) -> None:
    """End the program if no picture can be drawn to this file."""
    if importlib.util.find_spec("matplotlib") is None:
        parser.error(f"--{option} {path} needs Matplotlib: pip install 'ndl[train]', or give --no-{option}")
    if path.suffix not in (".png", ".svg", ".pdf"):
        parser.error(f"--{option} {path}: wanted a name that ends in .png, .svg or .pdf")
    refuse_file(parser, option, path)
    if not path.parent.exists():
        parser.error(f"--{option} {path}: the folder {path.parent} does not exist")


def combine(preset: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The preset's settings with those that the command line gives."""
    given = {key: value for key in preset if (value := getattr(options, key, None)) is not None}
    return {**preset, **given}


def resumed(options: argparse.Namespace, presets: Presets) -> dict[str, Any]:
    """The settings of the checkpoint. More epochs may be asked for, unless the learning rate's schedule ends.

    Raises ValueError if the command line asks for something else than the checkpoint has, or if another program wrote it.
    """
    saved = read_checkpoint(options.resume)["settings"]
    if saved.keys() != {*presets["default"], "data"}:
        raise ValueError(f"--resume {options.resume} has the settings of another program: {', '.join(saved)}")
    begun = saved if options.preset is None else {**presets[options.preset], "data": saved["data"]}
    data = getattr(options, "data", "auto")
    wanted = combine(begun, argparse.Namespace(**{**vars(options), "data": None if data == "auto" else data}))
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
            settings = options.settings
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


def told(settings: dict[str, Any], unused: Unused = momentum_of_sgd) -> str:
    """The settings that count, in a line."""
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key not in unused(settings))


def resume(trainer: Trainer, options: argparse.Namespace) -> None:
    """Go on from the checkpoint of ``--resume``, if it was given; ``--no-checkpoint`` leaves that file as it is."""
    if options.resume is not None:
        trainer.resume(options.resume)
        trainer.checkpoint = options.checkpoint


def make_optimizer(parameters: Any, settings: dict[str, Any], T: Any = ndl) -> Any:
    """The optimiser named in the settings, of library ``T`` = ndl or torch."""
    optim, lr, decay = T.optim, settings["lr"], settings["weight_decay"]
    if settings["optimizer"] == "sgd":
        return optim.SGD(parameters, lr=lr, momentum=settings["momentum"], weight_decay=decay)
    kind = optim.AdamW if settings["optimizer"] == "adamw" else optim.Adam
    return kind(parameters, lr=lr, weight_decay=decay)
