"""Put CIFAR-10's seven files in their place, out of the published archive or a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .archive import unpack
from .checked import check, install, md5, raw_chunks, set_aside, sync_folder
from .cifar10 import CLASSES, TEST_BATCHES, TRAIN_BATCHES, read_batch
from .download import fetch
from .errors import DamagedDataError, DataNotFoundError
from .published import CIFAR10_ARCHIVE, CIFAR10_FOLDER, CIFAR10_MD5
from .safe_pickle import read_batch_pickle
from .source import places_in, urls_for

Say = Callable[[str], None]
ARCHIVE = CIFAR10_ARCHIVE.files[0]
JPEG_COPY, JPEG_SCRIPT = "cifar10_jpeg.npz", "make_cifar10.py"
BATCH = 10_000
OTHER_EDITION = (
    "it has the published layout, count and class balance, but other checksums: its pixels are not quite the "
    "published ones (a copy through JPEG, for example), and accuracies may differ a little"
)


def prepare_cifar10(root: Path, source: Path | str | None, say: Say) -> None:
    """Fill `root / cifar-10-batches-py` with the seven files of CIFAR-10.

    A folder that is there and right is left alone; so is one of another edition (see `examine`). Everything
    else is first made whole in a folder beside it. Files that were there and are wrong are kept under other
    names.

    Raises:
        DataNotFoundError: the local source has no CIFAR-10. DamagedDataError: what it has is not right.
        DownloadError: no home or mirror gave the archive.
    """
    folder = root / CIFAR10_FOLDER
    if folder.is_dir():
        try:
            if examine(folder):
                say(f"cifar10: {folder} is there and right")
            else:
                say(f"cifar10: {folder} is kept: {OTHER_EDITION}; to have those, move it away")
            return
        except (DamagedDataError, DataNotFoundError) as error:
            say(f"cifar10: what is there is not right: {error}")
    root.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(prefix=".cifar-10.", suffix=".tmp", dir=root) as name:
        made = _obtain(Path(name), root, source, say)
        published = examine(made)
        _adopt(made, folder, say)
    say(f"cifar10: {folder} is ready, " + ("checksums right" if published else f"but note: {OTHER_EDITION}"))


def examine(folder: Path) -> bool:
    """True if `folder` holds the published CIFAR-10, False if another edition of it.

    Another edition has no batch in common with the published one, but 5 + 1 batches of 10,000 pictures 3 x 32
    x 32 with 5,000 + 1,000 of each class, and the published class names.

    Raises:
        DataNotFoundError: a file is missing. DamagedDataError: a file is neither.
    """
    missing = [name for name in CIFAR10_MD5 if not (folder / name).is_file()]
    if missing:
        raise DataNotFoundError(f"{folder} lacks {', '.join(missing)}")
    differing = [name for name, wanted in CIFAR10_MD5.items() if md5(folder / name) != wanted]
    if not differing:
        return True
    batches = TRAIN_BATCHES + TEST_BATCHES
    if not set(batches) <= set(differing):
        # Some batches are the published ones, so the others were meant to be.
        raise DamagedDataError(f"{folder}: {', '.join(differing)}: the MD5 is not the published one")
    _check_layout(folder)
    return False


def _check_layout(folder: Path) -> None:
    for batches in (TRAIN_BATCHES, TEST_BATCHES):
        counts = np.zeros(len(CLASSES), np.int64)
        for name in batches:
            pictures, labels = read_batch(folder / name)
            if len(pictures) != BATCH:
                raise DamagedDataError(f"{folder / name}: {len(pictures):,} pictures; wanted {BATCH:,}.")
            counts += np.bincount(labels, minlength=len(CLASSES))
        wanted = len(batches) * BATCH // len(CLASSES)
        if (counts != wanted).any():
            raise DamagedDataError(
                f"{folder}: {', '.join(batches)} have {counts.tolist()} pictures of the ten classes; "
                f"wanted {wanted:,} of each."
            )
    names = read_batch_pickle(folder / "batches.meta").get("label_names")
    decoded = [item.decode("latin1") if isinstance(item, bytes) else item for item in names or ()]
    if decoded != CLASSES:
        raise DamagedDataError(f"{folder / 'batches.meta'}: the classes are {decoded}; wanted {CLASSES}.")


def _obtain(staging: Path, root: Path, source: Path | str | None, say: Say) -> Path:
    """Make a folder of the seven files inside `staging`, and return it. They are yet to be examined."""
    archive = root / ARCHIVE.name
    if isinstance(source, Path):
        local = _local_folder(source)
        if local is not None:
            say(f"cifar10: copying {local}")
            for name in CIFAR10_MD5:
                install(raw_chunks(local / name), staging / CIFAR10_FOLDER / name)
            return staging / CIFAR10_FOLDER
        return _unpacked(_local_archive(source), staging, say)
    if archive.is_file():
        try:
            check(archive, ARCHIVE, unpack=False)
            return _unpacked(archive, staging, say)
        except DamagedDataError as error:
            say(f"cifar10: not used: {error}")
    part = root / f"{ARCHIVE.name}.part"
    say(f"cifar10: fetching {ARCHIVE.name}")
    urls = urls_for(CIFAR10_ARCHIVE, ARCHIVE.name, source)
    fetch(urls, part, lambda path: check(path, ARCHIVE, unpack=False), lambda line: say(f"cifar10: {line}"))
    made = _unpacked(part, staging, say)
    part.unlink()
    return made


def _unpacked(archive: Path, staging: Path, say: Say) -> Path:
    say(f"cifar10: unpacking {archive}")
    unpack(archive, staging)
    made = staging / CIFAR10_FOLDER
    if not made.is_dir():
        raise DamagedDataError(f"{archive}: holds no folder {CIFAR10_FOLDER}.")
    for name in CIFAR10_MD5:
        if (made / name).is_file():
            with (made / name).open("r+b") as file:
                os.fsync(file.fileno())
    sync_folder(made)
    return made


def _local_folder(source: Path) -> Path | None:
    if source.is_file():
        return None
    places = [place / inner for place in places_in(CIFAR10_ARCHIVE, source) for inner in (CIFAR10_FOLDER, "")]
    return next((place for place in places if all((place / name).is_file() for name in CIFAR10_MD5)), None)


def _local_archive(source: Path) -> Path:
    if source.is_file() and source.name.endswith((".tar.gz", ".tgz", ".tar")):
        return source
    places = places_in(CIFAR10_ARCHIVE, source)
    for place in places:
        if (place / ARCHIVE.name).is_file():
            return place / ARCHIVE.name
    for place in places:
        if (place / JPEG_COPY).is_file() and (place / JPEG_SCRIPT).is_file():
            raise DataNotFoundError(
                f"cifar10: {place} has {JPEG_COPY}, which {JPEG_SCRIPT} beside it unpacks. A script found "
                f"among data is not run for you. Look at it, then run: python {place / JPEG_SCRIPT} DEST, "
                "and after that: python prepare_data.py --only cifar10 --source DEST"
            )
    looked = ", ".join(str(place) for place in places)
    raise DataNotFoundError(
        f"cifar10: --source {source} has neither {CIFAR10_FOLDER}/ with its {len(CIFAR10_MD5)} files "
        f"nor {ARCHIVE.name}; looked in {looked}"
    )


def _adopt(made: Path, folder: Path, say: Say) -> None:
    """Move the files of `made` to `folder`; what was there and differs is kept under other names."""
    if not folder.exists():
        os.rename(made, folder)
        sync_folder(folder.parent)
        return
    for name in CIFAR10_MD5:
        target = folder / name
        if target.exists() and md5(target) == md5(made / name):
            continue
        if target.exists():
            say(f"cifar10: the old {target} is kept as {set_aside(target)}")
        os.replace(made / name, target)
    sync_folder(folder)
