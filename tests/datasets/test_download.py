"""Downloads that break off, are refused, or bring the wrong thing, from a server on this machine."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ndl.datasets import DamagedDataError
from ndl.datasets.checked import check
from ndl.datasets.download import DownloadError, download, fetch
from ndl.datasets.published import PublishedFile

CONTENT = np.random.default_rng(0).bytes(1_000_000)
EXPECTED = PublishedFile("numbers", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
Serve = Callable[[dict[str, bytes]], Any]


def accept(path: Path) -> None:
    check(path, EXPECTED)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "numbers.part"


def test_a_whole_download(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    download(f"{home.url}/numbers", part)
    assert part.read_bytes() == CONTENT
    assert home.asked == [("/numbers", None)]


def test_a_part_of_an_earlier_run_is_continued(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    part.parent.mkdir()
    part.write_bytes(CONTENT[:300_000])
    download(f"{home.url}/numbers", part)
    assert part.read_bytes() == CONTENT
    assert home.asked == [("/numbers", "bytes=300000-")]


def test_a_broken_connection_is_taken_up_where_it_broke(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.cuts = [400_000, 200_000]
    download(f"{home.url}/numbers", part, pause=0)
    assert part.read_bytes() == CONTENT
    starts = [int((wanted or "bytes=0-")[6:-1]) for _, wanted in home.asked]
    assert len(starts) == 3
    # What was on its way when the connection broke may be lost, up to a chunk each time.
    assert starts[0] == 0
    assert 300_000 <= starts[1] <= 400_000
    assert starts[1] + 100_000 <= starts[2] <= starts[1] + 200_000


def test_a_server_without_ranges_sends_all_again(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.ranges, home.cuts = False, [400_000]
    download(f"{home.url}/numbers", part, pause=0)
    assert part.read_bytes() == CONTENT
    assert len(home.asked) == 2


def test_what_is_already_whole_is_not_sent_again(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    download(f"{home.url}/numbers", part)
    assert part.read_bytes() == CONTENT
    assert home.asked == [("/numbers", "bytes=1000000-")]


def test_a_part_longer_than_the_file_is_begun_anew(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    part.parent.mkdir()
    part.write_bytes(CONTENT + b"too much")
    download(f"{home.url}/numbers", part, pause=0)
    assert part.read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.answers = [503, 429]
    download(f"{home.url}/numbers", part, pause=0)
    assert part.read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.answers = [503] * 9
    with pytest.raises(DownloadError, match=r"answered 503; gave up after 3 tries without progress"):
        download(f"{home.url}/numbers", part, tries=3, pause=0)
    assert len(home.asked) == 3


def test_a_server_that_always_breaks_at_the_same_byte_is_given_up(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.ranges, home.cuts = False, [300_000] * 9
    with pytest.raises(DownloadError, match="broke off"):
        download(f"{home.url}/numbers", part, tries=3, pause=0)
    assert len(home.asked) == 4  # the first brought something
    assert CONTENT.startswith(part.read_bytes())


def test_an_answer_from_another_place_is_not_appended(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    home.shift = 5
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match="asked for bytes from 1000, got 'bytes 1005-999999/1000000'"):
        download(f"{home.url}/numbers", part)
    assert part.read_bytes() == CONTENT[:1000]


def test_a_silent_server_is_asked_again(serve: Serve, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndl.datasets.download.SILENCE_SECONDS", 0.1)
    home = serve({"/numbers": CONTENT})
    home.silence = 0.5
    with pytest.raises(DownloadError, match=r"no answer in 0\.1 s; gave up after 2 tries"):
        download(f"{home.url}/numbers", part, tries=2, pause=0)


def test_an_answer_of_unknown_length_is_judged_by_its_checksum(serve: Serve, part: Path) -> None:
    cut, whole = serve({"/numbers": CONTENT}), serve({"/numbers": CONTENT})
    cut.lengths = whole.lengths = False
    cut.cuts = [600_000]
    with pytest.raises(DownloadError, match="not the published file"):
        fetch([f"{cut.url}/numbers"], part, accept, lambda line: None, pause=0)
    fetch([f"{whole.url}/numbers"], part, accept, lambda line: None, pause=0)
    assert part.read_bytes() == CONTENT


def test_a_short_answer_is_noticed_where_the_library_does_not(
    serve: Serve, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with urllib3 before 2.0, to which the end of the connection is the end of the answer.
    home = serve({"/numbers": CONTENT})
    home.cuts = [0] * 9
    urllib3 = pytest.importorskip("urllib3")
    stream = urllib3.HTTPResponse.stream

    def trusting(self: Any, *arguments: Any, **options: Any) -> Iterator[bytes]:
        try:
            yield from stream(self, *arguments, **options)
        except urllib3.exceptions.ProtocolError:
            return

    monkeypatch.setattr(urllib3.HTTPResponse, "stream", trusting)
    with pytest.raises(DownloadError, match=r"broke off after 0 of 1,000,000 bytes"):
        download(f"{home.url}/numbers", part, tries=2, pause=0)


def test_a_missing_file_is_not_asked_for_twice(serve: Serve, part: Path) -> None:
    home = serve({})
    with pytest.raises(DownloadError, match="answered 404"):
        download(f"{home.url}/numbers", part)
    assert len(home.asked) == 1
    assert not part.exists()


def test_an_address_where_nobody_listens(serve: Serve, part: Path) -> None:
    serve({})
    with pytest.raises(DownloadError, match="cannot be reached"):
        download("http://127.0.0.1:9/numbers", part)


def test_the_next_home_is_tried_and_what_the_first_gave_is_used(serve: Serve, part: Path) -> None:
    first, second = serve({"/numbers": CONTENT}), serve({"/numbers": CONTENT})
    first.cuts, first.answers = [500_000], [None] + [404] * 9
    lines: list[str] = []
    fetch([f"{first.url}/numbers", f"{second.url}/numbers"], part, accept, lines.append, pause=0)
    assert part.read_bytes() == CONTENT
    assert second.asked[0][1] is not None
    assert lines == [f"from {first.url}/numbers", f"from {second.url}/numbers"]


def test_a_wrong_file_is_thrown_away_and_the_next_home_tried(serve: Serve, part: Path) -> None:
    wrong, right = serve({"/numbers": b"<html>sign in</html>"}), serve({"/numbers": CONTENT})
    fetch([f"{wrong.url}/numbers", f"{right.url}/numbers"], part, accept, lambda line: None, pause=0)
    assert part.read_bytes() == CONTENT
    assert right.asked == [("/numbers", None)]


@pytest.mark.parametrize("begun", [b"another file's beginning", CONTENT[:1000] + b"x", CONTENT + b"x"])
def test_a_part_that_does_not_fit_is_begun_anew(begun: bytes, serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})
    part.parent.mkdir()
    part.write_bytes(begun)
    fetch([f"{home.url}/numbers"], part, accept, lambda line: None, pause=0)
    assert part.read_bytes() == CONTENT


def test_a_whole_part_needs_no_home_at_all(serve: Serve, part: Path) -> None:
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    fetch(["http://127.0.0.1:9/numbers"], part, accept, lambda line: None)


def test_when_no_home_has_it_each_is_listed_with_its_reason(serve: Serve, part: Path) -> None:
    empty, wrong = serve({}), serve({"/numbers": b"something else"})
    urls = [f"{empty.url}/numbers", f"{wrong.url}/numbers", "http://127.0.0.1:9/numbers"]
    with pytest.raises(DownloadError) as error:
        fetch(urls, part, accept, lambda line: None, pause=0)
    message = str(error.value)
    assert f"{urls[0]}: the server answered 404" in message
    assert f"{urls[1]}: not the published file: " in message
    assert "14 bytes; numbers has 1,000,000" in message
    assert f"{urls[2]}: cannot be reached" in message
    assert not part.exists()


def test_a_full_disk_is_not_taken_for_a_bad_home(serve: Serve, part: Path) -> None:
    home = serve({"/numbers": CONTENT})

    def no_space(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fetch([f"{home.url}/numbers"] * 2, part, no_space, lambda line: None)
    assert len(home.asked) == 1
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("library", ["requests", "tqdm"])
def test_without_its_library_the_command_is_named(library: str, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("requests")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"needs {library}.*pip install 'ndl\[train\]'"):
        download("http://127.0.0.1:9/numbers", part)


def test_damage_is_never_accepted_silently(serve: Serve, part: Path) -> None:
    def refuse(path: Path) -> None:
        raise DamagedDataError("never right")

    home = serve({"/numbers": CONTENT})
    with pytest.raises(DownloadError, match="never right"):
        fetch([f"{home.url}/numbers"], part, refuse, lambda line: None)
    assert not part.exists()
