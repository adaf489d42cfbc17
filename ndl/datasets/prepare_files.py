"""Put single published files in their place: MNIST's four, and Tiny Shakespeare's one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .checked import check, checked_chunks, install, set_aside
from .download import fetch
from .errors import DamagedDataError, DataNotFoundError
from .gzipped import unpacked_chunks
from .published import Collection, PublishedFile
from .root import plain_or_gzipped, search
from .source import places_in, urls_for

Say = Callable[[str], None]


def prepare_files(collection: Collection, root: Path, source: Path | str | None, say: Say) -> None:
    """Fill `root / collection.folder` with the files, unpacked, each with its published SHA-256.

    A file that is there and right, plain or gzipped, is left alone. One that is there and wrong is kept under
    another name, but only once the right one is at hand.

    Raises:
        DataNotFoundError: the local source has not all of them.
        DamagedDataError: the local source has another content.
        DownloadError: no home or mirror gave a file.
    """

    def report(line: str) -> None:
        say(f"{collection.dataset}: {line}")

    folder = root / collection.folder
    for expected in collection.files:
        target = folder / expected.name
        place = partial(_place, expected=expected, target=target, say=report)
        present = plain_or_gzipped(target)
        if present is not None:
            try:
                check(present, expected)
                report(f"{present} is there and right")
                continue
            except DamagedDataError as error:
                report(f"what is there is not right: {error}")
        if isinstance(source, Path):
            place(_local(collection, expected, source))
        else:
            report(f"fetching {expected.name}")
            part = target.with_name(target.name + ".part")
            fetch(urls_for(collection, expected.name, source), part, place, report)
            part.unlink()
        if present is not None and present != target:
            report(f"the old {present} is kept as {set_aside(present)}")


def _place(origin: Path, expected: PublishedFile, target: Path, say: Say) -> None:
    kept = install(checked_chunks(unpacked_chunks(origin), expected, origin), target)
    if kept is not None:
        say(f"the old {target} is kept as {kept}")
    say(f"{target} is ready ({expected.size:,} bytes, SHA-256 right)")


def _local(collection: Collection, expected: PublishedFile, source: Path) -> Path:
    if source.is_file() and source.name in (expected.name, expected.name + ".gz"):
        return source
    _, found, missing = search(places_in(collection, source), [file.name for file in collection.files])
    names = {path.name.removesuffix(".gz"): path for path in found}
    if expected.name not in names:
        looked = ", ".join(str(place) for place in places_in(collection, source))
        raise DataNotFoundError(
            f"{collection.dataset}: --source {source} lacks {', '.join(missing)} (plain or .gz); looked in {looked}"
        )
    return names[expected.name]
