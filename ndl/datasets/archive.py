"""Unpack a tar archive so that nothing in it can reach outside the folder meant for it."""

from __future__ import annotations

import tarfile
from pathlib import Path, PureWindowsPath

from .errors import DamagedDataError
from .gzipped import CHUNK, opened


def unpack(archive: Path, destination: Path, limit: int = 1 << 30) -> None:
    """Unpack the files and folders of `archive` (gzipped or not) into the existing folder `destination`.

    Raises:
        DamagedDataError: the archive is cut short or corrupt; or a member has an absolute path or one with
            "..", or is a link or a device; or the members have more than `limit` bytes. `destination` may
            then hold the members before it, so let it be a folder to throw away.
    """
    # Python before 3.11.4 has no filters; the check of our own stands there alone.
    options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    total = 0
    try:
        with opened(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                _check(archive, member)
                total += member.size
                if total > limit:
                    raise DamagedDataError(f"{archive}: unpacks to more than {limit:,} bytes; stopped.")
                tar.extract(member, destination, **options)  # type: ignore[arg-type]
            while stream.read(CHUNK):
                pass  # the checksum of gzip comes after the last member
    except tarfile.TarError as error:
        raise DamagedDataError(
            f"{archive}: cut short or no tar archive ({error}); the file has {archive.stat().st_size:,} bytes."
        ) from error


def _check(archive: Path, member: tarfile.TarInfo) -> None:
    name = member.name
    # Read as Windows would, which splits at / too and knows drives: what is inside there is so everywhere.
    path = PureWindowsPath(name)
    if path.anchor or ".." in path.parts:
        raise DamagedDataError(f"{archive}: member {name!r} would be written outside the folder; nothing is taken.")
    if not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "a device or pipe"
        raise DamagedDataError(
            f"{archive}: member {name!r} is {kind}; wanted files and folders only; nothing is taken."
        )
