"""What `--source` may be: a folder or file of this machine, or a mirror."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import DataNotFoundError
from .published import Collection


def parse_source(source: str) -> Path | str:
    """A `Path` for a local source (a path or a file:// address), the address itself for an http(s) mirror.

    Raises:
        DataNotFoundError: there is no such folder or file.
        ValueError: an address that is neither file, http nor https.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", source)  # two letters at least: C:/ is a drive
    if scheme and scheme[1].lower() in ("http", "https"):
        return source.rstrip("/")
    if scheme and scheme[1].lower() != "file":
        raise ValueError(f"--source {source}: wanted a folder, a file, or an address with file://, http:// or https://")
    path = Path(url2pathname(urlsplit(source).path)) if scheme else Path(source).expanduser()
    if not path.exists():
        raise DataNotFoundError(f"--source {source}: there is no such folder or file")
    return path


def urls_for(collection: Collection, name: str, mirror: str | None) -> list[str]:
    """The addresses to try for the file `name`: its public homes, or the places a mirror may have it."""
    if mirror is None:
        return [home.replace("{name}", name) for home in collection.homes]
    if mirror.endswith((f"/{name}", f"/{name}.gz")):
        return [mirror]
    suffixes = ("",) if name.endswith(".gz") else (".gz", "")
    return [
        "/".join(filter(None, (mirror, alias, name + suffix))) for alias in collection.aliases for suffix in suffixes
    ]


def places_in(collection: Collection, source: Path) -> list[Path]:
    """The folders in which a local source may have the collection's files."""
    folder = source if source.is_dir() else source.parent
    return [folder / alias for alias in collection.aliases]
