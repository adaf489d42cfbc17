"""Download a file that may take several tries, from whichever of its homes answers.

Built on `requests`, which brings proxies, redirects and certificates; `pooch` would check sums too, but
starts every interrupted download over.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import DamagedDataError
from .optional import optional

PURPOSE = "Downloading data"
CONNECT_SECONDS, SILENCE_SECONDS = 7, 60
CHUNK = 1 << 16
WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}


class DownloadError(RuntimeError):
    """An address did not give its file, or none of several did."""


class _Interrupted(Exception):
    """The download stopped early; what has arrived stays."""


def fetch(
    urls: Sequence[str],
    part: Path,
    accept: Callable[[Path], None],
    say: Callable[[str], None],
    pause: float = 1.0,
) -> None:
    """Download the file that all `urls` should have to `part`, and hand it to `accept`.

    The first address whose file `accept` takes (raises no `DamagedDataError`) wins. A `part` left by an
    earlier run is continued; if the outcome is damaged it is fetched anew, since it may have come from
    another address. `part` is left where it is when the addresses cannot be reached, and is the caller's once
    accepted.

    Raises:
        DownloadError: none gave the file. The message lists each with its reason.
        ImportError: `requests` or `tqdm` is not installed.
    """
    if part.exists():
        try:
            accept(part)  # an earlier run may have stopped just after the last byte
            return
        except DamagedDataError:
            say(f"going on after the {size_of(part):,} bytes of an earlier run")
    failures = []
    for url in urls:
        say(f"from {url}")
        while True:
            continued = size_of(part) > 0
            try:
                download(url, part, pause=pause)
                accept(part)
                return
            except DownloadError as error:
                failures.append(f"{url}: {error}")
                break
            except DamagedDataError as error:
                part.unlink(missing_ok=True)
                if continued:
                    say(f"what had been begun does not fit; starting over ({error})")
                    continue
                failures.append(f"{url}: not the published file: {error}")
                break
    raise DownloadError("no home gave the file:\n" + "\n".join(f"  - {failure}" for failure in failures))


def download(url: str, part: Path, tries: int = 4, pause: float = 1.0) -> None:
    """Download `url` to `part`, continuing after what `part` already has (an HTTP Range request).

    A connection that breaks off is taken up again at once where bytes had arrived; after `tries` in a row
    without progress, each after twice the `pause` of the last, it gives up. `part` keeps what has arrived.

    Raises:
        DownloadError: the server cannot be reached, refuses, or keeps breaking off.
    """
    optional("requests", PURPOSE)
    optional("tqdm", PURPOSE)
    furthest, fruitless = size_of(part), 0
    while True:
        try:
            _continue(url, part)
            return
        except _Interrupted as error:
            if size_of(part) > furthest:
                furthest, fruitless = size_of(part), 0
                continue
            fruitless += 1
            if fruitless == tries:
                raise DownloadError(f"{error}; gave up after {tries} tries without progress") from error
            time.sleep(pause * 2 ** (fruitless - 1))


def size_of(path: Path) -> int:
    """Bytes in a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def _continue(url: str, part: Path) -> None:
    """One request for what `part` still lacks."""
    requests = optional("requests", PURPOSE)
    offset = size_of(part)
    # Offsets count the bytes as stored, so the server must not compress them on the way.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, SILENCE_SECONDS))
    except requests.ReadTimeout as error:
        raise _Interrupted(f"no answer in {SILENCE_SECONDS} s") from error
    except requests.RequestException as error:
        raise DownloadError(f"cannot be reached ({type(error).__name__})") from error
    with response:
        status = response.status_code
        total = _total(response.headers.get("Content-Range", ""))
        if status == 416 and total == offset:
            return
        if status == 416:
            part.unlink()
            raise _Interrupted(f"had {offset:,} bytes, more than the server's file")
        if status in WORTH_ANOTHER_TRY:
            raise _Interrupted(f"the server answered {status}")
        if status not in (200, 206):
            raise DownloadError(f"the server answered {status} {response.reason}")
        if status == 200:
            offset = 0  # the server knows no ranges and sends all of it again
        elif _start(response.headers.get("Content-Range", "")) != offset:
            raise DownloadError(f"asked for bytes from {offset}, got {response.headers.get('Content-Range')!r}")
        length = response.headers.get("Content-Length")
        _write(response, part, offset, None if length is None else offset + int(length))


def _write(response: Any, part: Path, offset: int, total: int | None) -> None:
    tqdm = optional("tqdm", PURPOSE).tqdm
    part.parent.mkdir(parents=True, exist_ok=True)
    bar = tqdm(
        total=total,
        initial=offset,
        unit="B",
        unit_scale=True,
        desc=part.name.removesuffix(".part"),
        disable=None,
    )
    with bar, part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(offset)
        file.seek(offset)
        for chunk in _received(response):
            file.write(chunk)
            bar.update(len(chunk))
        arrived = file.tell()
    if total is not None and arrived != total:
        raise _Interrupted(f"broke off after {arrived:,} of {total:,} bytes")


def _received(response: Any) -> Iterator[bytes]:
    """The bytes as they come, without undoing any Content-Encoding."""
    broken = optional("urllib3.exceptions", PURPOSE).HTTPError
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (broken, OSError) as error:
        raise _Interrupted(f"the connection broke off ({type(error).__name__})") from error


def _start(content_range: str) -> int | None:
    match = re.match(r"bytes (\d+)-", content_range)
    return int(match[1]) if match else None


def _total(content_range: str) -> int | None:
    match = re.match(r"bytes (?:\*|\d+-\d+)/(\d+)$", content_range)
    return int(match[1]) if match else None
