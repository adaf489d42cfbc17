"""Files that are only ever there whole and right: checked before they get their name, never written over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from .errors import DamagedDataError
from .gzipped import CHUNK, unpacked_chunks
from .published import PublishedFile


def checked_chunks(chunks: Generator[bytes], expected: PublishedFile, where: object) -> Iterator[bytes]:
    """Hand `chunks` on, and raise at the end if together they were not the `expected` file.

    Raises:
        DamagedDataError: another size or SHA-256. `where` is named.
    """
    digest, size = hashlib.sha256(), 0
    with closing(chunks):  # at once, also when this raises: an open file can be deleted nowhere but on POSIX
        for chunk in chunks:
            size += len(chunk)
            if size > expected.size:
                raise DamagedDataError(f"{where}: more than {expected.size:,} bytes, the size of {expected.name}.")
            digest.update(chunk)
            yield chunk
    if size != expected.size:
        raise DamagedDataError(f"{where}: {size:,} bytes; {expected.name} has {expected.size:,}.")
    if digest.hexdigest() != expected.sha256:
        raise DamagedDataError(
            f"{where}: SHA-256 is {digest.hexdigest()}; that of {expected.name} is {expected.sha256}."
        )


def check(path: Path, expected: PublishedFile, unpack: bool = True) -> None:
    """Raise `DamagedDataError` unless `path` holds `expected` (gzipped or not, where `unpack`)."""
    chunks = unpacked_chunks(path) if unpack else raw_chunks(path)
    for _ in checked_chunks(chunks, expected, path):
        pass


def raw_chunks(path: Path) -> Generator[bytes]:
    """The bytes of a file as they are, a megabyte at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def md5(path: Path) -> str:
    """The MD5 of a file, for the checksums that are published in no better kind."""
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in raw_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def install(chunks: Iterable[bytes], target: Path) -> Path | None:
    """Write `target` so that it appears whole or not at all: beside it, onto the disk, then renamed.

    Whatever `chunks` raises leaves nothing behind. A file that had the name is kept as `set_aside` says; its
    new path is returned.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        kept = set_aside(target) if target.exists() else None
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(target.parent)
    return kept


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> Path:
    """Rename `path` to the first free of `.bad`, `.bad-2`, `.bad-3` ..., and return that."""
    number = 1
    while True:
        kept = path.with_name(path.name + (".bad" if number == 1 else f".bad-{number}"))
        if not kept.exists():
            path.rename(kept)
            return kept
        number += 1
