"""Read a file that may be gzipped: its first bytes decide, not its name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from .errors import DamagedDataError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20


@contextmanager
def opened(path: Path) -> Generator[IO[bytes]]:
    """The content of a file, unpacked where it is gzipped, as a stream.

    Raises:
        DamagedDataError: the gzip stream turns out to be cut short or corrupt while it is read. Its checksum
            comes last, so only who reads to the end has it checked.
    """
    with path.open("rb") as raw:
        packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        try:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if packed else raw)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DamagedDataError(
                f"{path}: the gzip stream is cut short or corrupt ({error}); "
                f"the file has {path.stat().st_size:,} bytes."
            ) from error


def unpacked_chunks(path: Path) -> Generator[bytes]:
    """The content of a file, unpacked where it is gzipped, a megabyte at a time.

    Raises:
        DamagedDataError: the gzip stream is cut short or corrupt.
    """
    with opened(path) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def read_unpacked(path: Path) -> bytes:
    """All of `unpacked_chunks`."""
    return b"".join(unpacked_chunks(path))
