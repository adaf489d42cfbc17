"""Checkpoints: files from which a training goes on bit for bit."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from ndl.ops.random import Generator, default_generator
from ndl.utils.serialization import load, save

__all__ = ["generators", "random_state", "read_checkpoint", "set_random_state", "unfinished", "write_checkpoint"]

FORMAT = "ndl training checkpoint 1"


def generators(loaders: Iterable[Any]) -> list[Generator]:
    """The streams of random numbers a training draws from: the default one, and those its loaders were given."""
    found = [default_generator]
    for loader in loaders:
        samplers = (getattr(loader, name, None) for name in ("sampler", "batch_sampler"))
        for owner in (loader, *samplers):
            generator = getattr(owner, "generator", None)
            if isinstance(generator, Generator) and not any(generator is g for g in found):
                found.append(generator)
    return found


def random_state(streams: Iterable[Generator]) -> list[Any]:
    """Where each stream stands."""
    return [stream.get_state() for stream in streams]


def set_random_state(streams: list[Generator], states: list[Any]) -> None:
    """Continue each stream where it stood.

    Raises ValueError if their number differs.
    """
    if len(streams) != len(states):
        raise ValueError(
            f"the checkpoint has the states of {len(states)} random generators, but this training draws from "
            f"{len(streams)}: give its DataLoaders generators as they had before"
        )
    for stream, state in zip(streams, states):
        stream.set_state(state)


def write_checkpoint(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Save the state of a training in one step: the file is the old one or the new one."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    save({"format": FORMAT, **state}, path)


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state of a training.

    Raises RuntimeError for a damaged file, ValueError for a file that is whole but no checkpoint.
    """
    state = load(path)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(
            f"{os.fspath(path)} is not a checkpoint of a training (wanted format {FORMAT!r}). If it holds weights, use "
            "model.load_state_dict(ndl.load(file))"
        )
    return state


def unfinished(path: str | os.PathLike[str]) -> bool:
    """Whether a file is there from which a training could go on, or which is something else altogether."""
    if not os.path.exists(path):
        return False
    try:
        state = read_checkpoint(path)
    except (RuntimeError, ValueError, pickle.UnpicklingError):
        return True
    return state["epoch"] < state["epochs"]


def set_aside(path: str | os.PathLike[str]) -> str:
    """Rename a file that is in the way; returns its new name, which no other file had."""
    stem, suffix = os.path.splitext(os.fspath(path))
    number = 1
    while os.path.exists(f"{stem}.kept-{number}{suffix}"):
        number += 1
    kept = f"{stem}.kept-{number}{suffix}"
    os.rename(path, kept)
    return kept
