"""Where data lies: the data root, and the search for a dataset's files below it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .errors import DataNotFoundError, advice


def default_root() -> Path:
    """`$NDL_DATA_ROOT` where it is set, else `data` below the current directory."""
    return Path(os.environ.get("NDL_DATA_ROOT") or "data").expanduser()


def resolve_root(root: str | os.PathLike[str] | None) -> Path:
    """`root` as a path; None means `default_root()`."""
    return default_root() if root is None else Path(root).expanduser()


def plain_or_gzipped(path: Path) -> Path | None:
    """`path` if it is a file, else `path` with `.gz` added if that is one, else None."""
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    return None


def search(places: Iterable[Path], names: Sequence[str]) -> tuple[Path | None, list[Path], list[str]]:
    """Find `names`, plain or gzipped, together in one of `places`.

    Returns the place, the files found there and the names missing there: of the first place that has all of
    them, else of the first that has some, else `(None, [], names)`.
    """
    best: tuple[Path | None, list[Path], list[str]] = (None, [], list(names))
    for place in places:
        paths = {name: plain_or_gzipped(place / name) for name in names}
        found = [path for path in paths.values() if path is not None]
        missing = [name for name, path in paths.items() if path is None]
        if not missing:
            return place, found, missing
        if found and best[0] is None:
            best = (place, found, missing)
    return best


def remedy(dataset: str, root: Path, folder: str) -> str:
    """What to do about `dataset` missing or damaged at `root`, as a sentence.

    A caller may have given the dataset's own `folder`; the program that fills it wants the one above.
    """
    data_root = root.parent if root.name == folder else root
    return advice(dataset, None if data_root == default_root() else data_root)


def find_files(dataset: str, root: Path, folders: Sequence[str], names: Sequence[str]) -> list[Path]:
    """The files `names` of `dataset`, all in one of `folders` below `root`, each plain or gzipped.

    Raises:
        DataNotFoundError: none of the folders has them all. The message names what is missing where.
    """
    place, found, missing = search([root / folder for folder in folders], names)
    if place is not None and not missing:
        return found
    hint = remedy(dataset, root, folders[0])
    if not root.is_dir():
        raise DataNotFoundError(f"{dataset}: the data folder {root} does not exist. {hint}")
    if place is not None:
        raise DataNotFoundError(f"{dataset}: {place} has no {', '.join(missing)} (plain or .gz). {hint}")
    looked = ", ".join(str(root / folder) for folder in folders)
    raise DataNotFoundError(f"{dataset}: no {names[0]} (plain or .gz) in any of {looked}. {hint}")
