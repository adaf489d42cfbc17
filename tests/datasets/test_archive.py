"""No archive reaches outside its folder."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from ndl.datasets import DamagedDataError
from ndl.datasets.archive import unpack


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = 4 if kind == tarfile.REGTYPE else 0
    return info


def pack(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(b"data") if info.size else None)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


def test_files_and_folders_are_unpacked(inside: Path, tmp_path: Path) -> None:
    members = member("x", tarfile.DIRTYPE), member("x/file"), member("./y/..dots")
    archive = pack(tmp_path / "a.tar.gz", *members)
    unpack(archive, inside)
    assert files_in(inside) == ["x/file", "y/..dots"]
    assert (inside / "x" / "file").read_bytes() == b"data"


@pytest.mark.parametrize(
    "name",
    ["../escape", "x/../../escape", "x/..", "/escape", "//escape", "..\\escape", "C:\\escape", "C:escape"],
)
def test_a_path_to_elsewhere_is_refused(name: str, inside: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", member("good"), member(name))
    with pytest.raises(DamagedDataError, match="would be written outside") as error:
        unpack(archive, inside)
    assert str(archive) in str(error.value)
    assert repr(name) in str(error.value)
    assert files_in(tmp_path) == ["a.tar.gz", "inside/good"]
    assert not Path("/escape").exists()


@pytest.mark.parametrize(
    ("kind", "link", "complaint"),
    [
        (tarfile.SYMTYPE, "..", "is a link"),
        (tarfile.SYMTYPE, "good", "is a link"),
        (tarfile.LNKTYPE, "good", "is a link"),
        (tarfile.LNKTYPE, "../a.tar.gz", "is a link"),
        (tarfile.FIFOTYPE, "", "is a device or pipe"),
        (tarfile.CHRTYPE, "", "is a device or pipe"),
    ],
)
def test_links_and_devices_are_refused(kind: bytes, link: str, complaint: str, inside: Path, tmp_path: Path) -> None:
    # A link first, then a file through it: the way around a check of names alone.
    archive = pack(tmp_path / "a.tar.gz", member("good"), member("way", kind, link), member("way/escape"))
    with pytest.raises(DamagedDataError, match=f"'way' {complaint}"):
        unpack(archive, inside)
    assert files_in(tmp_path) == ["a.tar.gz", "inside/good"]


def test_the_own_check_stands_without_pythons_filter(
    inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = staticmethod(lambda info, path: info)
    monkeypatch.delattr(tarfile, "data_filter")
    monkeypatch.setattr(tarfile.TarFile, "extraction_filter", trusting, raising=False)
    for bad in (member("../escape"), member("way", tarfile.SYMTYPE, "..")):
        with pytest.raises(DamagedDataError):
            unpack(pack(tmp_path / "a.tar.gz", bad), inside)
    assert files_in(tmp_path) == ["a.tar.gz"]


def test_more_than_the_limit_is_refused(inside: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", member("a"), member("b"), member("c"))
    with pytest.raises(DamagedDataError, match="more than 10 bytes"):
        unpack(archive, inside, limit=10)
    unpack(archive, inside, limit=12)


@pytest.mark.parametrize("keep", [0, 1, 5, 40, 120, -1])
def test_a_truncated_archive_is_named(keep: int, inside: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", *(member(f"file{i}" * 20) for i in range(50)))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(DamagedDataError, match=r"a\.tar\.gz: .*cut short.* [0-9,]+ bytes\.$"):
        unpack(archive, inside)


def test_one_changed_byte_is_noticed(inside: Path, tmp_path: Path) -> None:
    # A change that neither gzip's code nor tar's headers show: only gzip's checksum, behind the last member.
    archive = tmp_path / "a.tar.gz"
    plain = gzip.decompress(pack(archive, member("a")).read_bytes())
    archive.write_bytes(gzip.compress(plain, 0).replace(b"data", b"dada"))
    with pytest.raises(DamagedDataError, match=r"a\.tar\.gz: the gzip stream is cut short or corrupt"):
        unpack(archive, inside)


def test_an_archive_without_gzip(inside: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", member("a"))
    archive.write_bytes(gzip.decompress(archive.read_bytes()))
    unpack(archive, inside)
    assert files_in(inside) == ["a"]


def test_a_missing_archive_is_no_damaged_one(inside: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unpack(tmp_path / "none.tar.gz", inside)
