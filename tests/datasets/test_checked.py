"""Files appear whole or not at all, and none is written over."""

import gzip
import hashlib
from collections.abc import Generator
from pathlib import Path

import pytest

from ndl.datasets import DamagedDataError
from ndl.datasets.checked import check, checked_chunks, install, md5, set_aside
from ndl.datasets.gzipped import unpacked_chunks
from ndl.datasets.published import PublishedFile

CONTENT = bytes(range(256)) * 10_000  # more than one chunk
EXPECTED = PublishedFile("numbers", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize("packed", [False, True])
def test_the_right_content_passes(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    check(path, EXPECTED)
    assert b"".join(unpacked_chunks(path)) == CONTENT


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "0 bytes; numbers has 2,560,000"),
        (CONTENT[:-1], "2,559,999 bytes; numbers has 2,560,000"),
        (CONTENT + b"x", "more than 2,560,000 bytes"),
        (CONTENT[:-1] + b"x", "SHA-256 is"),
        (gzip.compress(CONTENT)[:-9], "gzip stream is cut short"),
        (gzip.compress(CONTENT + b"x"), "more than 2,560,000 bytes"),
    ],
)
def test_any_other_content_does_not(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DamagedDataError, match=complaint) as error:
        check(path, EXPECTED)
    assert str(path) in str(error.value)


def test_an_archive_is_checked_as_it_is(tmp_path: Path) -> None:
    packed = gzip.compress(b"content")
    path = tmp_path / "file.gz"
    path.write_bytes(packed)
    check(path, PublishedFile("archive", len(packed), hashlib.sha256(packed).hexdigest()), unpack=False)
    assert md5(path) == hashlib.md5(packed).hexdigest()


def test_install_makes_folder_and_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "file"
    assert install([b"one ", b"two"], target) is None
    assert target.read_bytes() == b"one two"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [DamagedDataError, KeyboardInterrupt])
def test_what_fails_midway_leaves_all_as_it_was(error: type[BaseException], tmp_path: Path) -> None:
    def breaks_off() -> Generator[bytes]:
        yield b"new"
        raise error

    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(error):
        install(breaks_off(), target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_content_that_fails_its_check_is_never_installed(tmp_path: Path) -> None:
    origin, target = tmp_path / "origin", tmp_path / "file"
    origin.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(DamagedDataError):
        install(checked_chunks(unpacked_chunks(origin), EXPECTED, origin), target)
    assert not target.exists()


def test_a_file_that_was_there_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for number, name in enumerate(["file.bad", "file.bad-2", "file.bad-3"]):
        target.write_bytes(b"old %d" % number)
        assert install([b"new"], target) == tmp_path / name
        assert (tmp_path / name).read_bytes() == b"old %d" % number
    assert target.read_bytes() == b"new"


def test_set_aside_takes_folders_too(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert set_aside(folder) == tmp_path / "folder.bad"
    assert (tmp_path / "folder.bad").is_dir()
