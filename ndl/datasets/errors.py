"""What can be wrong with data on disk, and the sentence that says what to do about it."""

from __future__ import annotations

import pickle
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataNotFoundError(FileNotFoundError, RuntimeError):
    """A folder or a file of a dataset is not there.

    It is a `RuntimeError` because that is what torchvision raises, and a `FileNotFoundError` because it is
    one.
    """


class DamagedDataError(RuntimeError, ValueError):
    """A file is there but does not hold what it should."""


class ForbiddenPickleError(DamagedDataError, pickle.UnpicklingError):
    """A pickle asks for something that a CIFAR-10 batch has no use for."""


def advice(dataset: str, root: Path | None = None) -> str:
    """The command that puts `dataset` under `root` (None: the default root), as a sentence."""
    command = f"python prepare_data.py --only {dataset}"
    if root is not None:
        command += f" --root {shlex.quote(str(root))}"
    return f"Run: {command}"


@contextmanager
def advising(sentence: str) -> Iterator[None]:
    """End the message of a `DamagedDataError` raised inside with `sentence`.

    The readers of file formats do not know which dataset they read; who calls them does.
    """
    try:
        yield
    except DamagedDataError as error:
        raise type(error)(f"{error} {sentence}") from error.__cause__
