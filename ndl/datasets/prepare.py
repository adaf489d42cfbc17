"""The program behind `prepare_data.py`: fill the data root with MNIST, CIFAR-10 and Tiny Shakespeare."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from .download import DownloadError
from .errors import DamagedDataError, DataNotFoundError, advising
from .prepare_cifar10 import prepare_cifar10
from .prepare_files import prepare_files
from .published import MNIST, SHAKESPEARE
from .root import default_root, resolve_root
from .source import parse_source

DATASETS = ("mnist", "cifar10", "shakespeare")
WAYS_OUT = (
    "Without the internet, bring the published files and run: python prepare_data.py --source FOLDER "
    "(a mirror's address will do too). An interrupted download goes on where it stopped when run again."
)


def prepare(
    dataset: str,
    root: str | os.PathLike[str] | None = None,
    source: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Make sure that `dataset` is under `root`, whole and checked.

    Args:
        dataset: "mnist" (to `mnist-784/`, the four IDX files unpacked), "cifar10" (to
            `cifar-10-batches-py/`) or "shakespeare" (to `shakespeare/input.txt`).
        root: the data root; None: `default_root()`.
        source: a folder, a file, or the address of a mirror; None: the public homes.
        say: gets each line of the report.

    Nothing that is there is deleted or written over: what fails its check is kept under another name.

    Raises:
        DataNotFoundError, DamagedDataError: the local source lacks the dataset or holds something else.
        DownloadError: no home gave it.
        ImportError: a download is needed and `requests` or `tqdm` is not installed.
        ValueError: no such dataset, or no such kind of source.
    """
    if dataset not in DATASETS:
        raise ValueError(f"dataset is {dataset!r}; wanted one of {', '.join(DATASETS)}")
    base = resolve_root(root)
    origin = None if source is None else parse_source(source)
    try:
        with advising("Give another --source, or none to fetch it from its public homes."):
            if dataset == "cifar10":
                prepare_cifar10(base, origin, say)
            else:
                prepare_files(MNIST if dataset == "mnist" else SHAKESPEARE, base, origin, say)
    except DownloadError as error:
        raise DownloadError(f"{dataset}: {error}\n{WAYS_OUT}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Its exit code: 0 when all is there, 1 when something failed, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    failed = []
    for dataset in options.only or DATASETS:
        try:
            prepare(dataset, options.root, options.source, say=partial(print, flush=True))
        except KeyboardInterrupt:
            print("\ninterrupted; run it again to go on from here", file=sys.stderr)
            return 130
        except (
            DataNotFoundError,
            DamagedDataError,
            DownloadError,
            ImportError,
            ValueError,
            OSError,
        ) as error:
            print(f"error: {error}", file=sys.stderr)
            failed.append(dataset)
    if failed:
        print(f"not prepared: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prepare_data.py",
        description="Fetch MNIST, CIFAR-10 and Tiny Shakespeare, check them, put them under the data root.",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=DATASETS,
        metavar="NAME",
        help=f"one of {', '.join(DATASETS)}; may be repeated",
    )
    parser.add_argument(
        "--source", metavar="DIR_OR_URL", help="a local folder or file, or a mirror, for the public homes"
    )
    parser.add_argument(
        "--root", type=Path, help=f"where to put them (default: $NDL_DATA_ROOT or data; now {default_root()})"
    )
    return parser
