"""From homes, mirrors and folders to the data root: with small made-up data sets, and with the real ones."""

import dataclasses
import gzip
import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ndl.datasets import DamagedDataError, DataNotFoundError
from ndl.datasets import prepare as program
from ndl.datasets import prepare_cifar10 as cifar
from ndl.datasets.download import DownloadError
from ndl.datasets.prepare import prepare
from ndl.datasets.published import CIFAR10_ARCHIVE, CIFAR10_MD5, MNIST, SHAKESPEARE, PublishedFile
from ndl.datasets.source import parse_source, urls_for

Serve = Callable[[dict[str, bytes]], Any]
FILES = {file.name: np.random.default_rng(i).bytes(50_000 * (i + 1)) for i, file in enumerate(MNIST.files)}
BATCHES = {name: pickle.dumps({"batch_label": name}, protocol=2) for name in CIFAR10_MD5}


def published(name: str, content: bytes) -> PublishedFile:
    return PublishedFile(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture(autouse=True)
def nobody_is_asked_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """The public homes become an address where nobody listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for module, name, collection in (
        (program, "MNIST", MNIST),
        (program, "SHAKESPEARE", SHAKESPEARE),
        (cifar, "CIFAR10_ARCHIVE", CIFAR10_ARCHIVE),
    ):
        nowhere = dataclasses.replace(collection, homes=("http://127.0.0.1:9/{name}",))
        monkeypatch.setattr(module, name, nowhere)


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four small made-up files take the place of MNIST's."""
    files = tuple(published(name, content) for name, content in FILES.items())
    monkeypatch.setattr(program, "MNIST", dataclasses.replace(program.MNIST, files=files))


@pytest.fixture
def small_cifar10(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive of seven small made-up files takes the place of CIFAR-10's; its content is returned."""
    archive = tar_of({f"cifar-10-batches-py/{name}": content for name, content in BATCHES.items()})
    entry = published("cifar-10-python.tar.gz", archive)
    monkeypatch.setattr(cifar, "ARCHIVE", entry)
    for name, content in BATCHES.items():
        monkeypatch.setitem(CIFAR10_MD5, name, hashlib.md5(content).hexdigest())
    return archive


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def packed(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name + ".gz": gzip.compress(content) for name, content in files.items()}


PREPARED = {f"mnist-784/{name}": content for name, content in FILES.items()}


@pytest.mark.parametrize("folder", ["", "mnist", "mnist-784", "MNIST/raw"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_mnist_from_every_layout_of_a_folder(folder: str, gzipped: bool, small_mnist: None, tmp_path: Path) -> None:
    write(tmp_path / "source" / folder, packed(FILES) if gzipped else FILES)
    prepare("mnist", tmp_path / "root", str(tmp_path / "source"), say=lambda line: None)
    assert tree(tmp_path / "root") == PREPARED


def test_a_file_address_is_a_folder(small_mnist: None, tmp_path: Path) -> None:
    source = write(tmp_path / "a source", FILES)
    prepare("mnist", tmp_path / "root", source.as_uri(), say=lambda line: None)
    assert tree(tmp_path / "root") == PREPARED


@pytest.mark.parametrize("prefix", ["", "/mnist", "/mnist-784"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_mnist_from_every_layout_of_a_mirror(
    prefix: str, gzipped: bool, small_mnist: None, serve: Serve, tmp_path: Path
) -> None:
    files = packed(FILES) if gzipped else FILES
    home = serve({f"{prefix}/{name}": content for name, content in files.items()})
    prepare("mnist", tmp_path / "root", home.url + "/", say=lambda line: None)
    assert tree(tmp_path / "root") == PREPARED


def test_an_interrupted_run_is_gone_on_with(small_mnist: None, serve: Serve, tmp_path: Path) -> None:
    home = serve({f"/{name}": content for name, content in packed(FILES).items()})
    third = list(FILES)[2]
    home.answers, home.cuts = [None] * 3 + [404] * 99, [None, None, 90_000]
    with pytest.raises(DownloadError):
        prepare("mnist", tmp_path, home.url, say=lambda line: None)
    there = tree(tmp_path)
    assert set(there) == {*list(PREPARED)[:2], f"mnist-784/{third}.part"}
    begun = len(there[f"mnist-784/{third}.part"])
    assert 0 < begun <= 90_000
    home.answers, home.asked = [], []
    prepare("mnist", tmp_path, home.url, say=lambda line: None)
    assert tree(tmp_path) == PREPARED
    assert home.asked == [(f"/{third}.gz", f"bytes={begun}-"), (f"/{list(FILES)[3]}.gz", None)]


def test_what_is_right_is_left_alone(small_mnist: None, tmp_path: Path) -> None:
    mixed = dict(zip(list(FILES)[:2], list(FILES.values())[:2], strict=True))
    mixed |= packed(dict(list(FILES.items())[2:]))
    write(tmp_path / "mnist-784", mixed)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mnist-784").iterdir()}
    lines: list[str] = []
    prepare("mnist", tmp_path, say=lines.append)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mnist-784").iterdir()} == before
    assert len(lines) == 4
    assert all(line.endswith("is there and right") for line in lines)


def test_a_bad_file_is_kept_under_another_name_and_said_so(small_mnist: None, tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    first, second, *_ = FILES
    folder = write(tmp_path / "root" / "mnist-784", {first: FILES[first][:-1], second + ".gz": b"not gzip"})
    lines: list[str] = []
    prepare("mnist", tmp_path / "root", str(source), say=lines.append)
    kept = {f"mnist-784/{first}.bad": FILES[first][:-1], f"mnist-784/{second}.gz.bad": b"not gzip"}
    assert tree(tmp_path / "root") == PREPARED | kept
    said = "\n".join(lines)
    assert f"49,999 bytes; {first} has 50,000" in said
    assert f"the old {folder / first} is kept as {folder / first}.bad" in said
    assert f"the old {folder / second}.gz is kept as {folder / second}.gz.bad" in said


def test_a_bad_file_stays_until_there_is_a_right_one(small_mnist: None, serve: Serve, tmp_path: Path) -> None:
    first = next(iter(FILES))
    write(tmp_path / "mnist-784", {first: b"bad"})
    with pytest.raises(DownloadError):
        prepare("mnist", tmp_path, say=lambda line: None)
    assert tree(tmp_path) == {f"mnist-784/{first}": b"bad"}


def test_a_local_file_with_another_content_is_refused(small_mnist: None, tmp_path: Path) -> None:
    first = next(iter(FILES))
    source = write(tmp_path / "source", FILES | {first: FILES[first][::-1]})
    with pytest.raises(DamagedDataError) as error:
        prepare("mnist", tmp_path / "root", str(source), say=lambda line: None)
    assert str(source / first) in str(error.value)
    assert "SHA-256 is" in str(error.value)
    assert "Give another --source" in str(error.value)
    assert tree(tmp_path / "root") == {}


def test_a_local_folder_that_lacks_a_file_is_named(small_mnist: None, tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    (source / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataNotFoundError, match=r"lacks t10k-labels-idx1-ubyte \(plain or \.gz\)"):
        prepare("mnist", tmp_path / "root", str(source), say=lambda line: None)


def test_offline_says_where_it_tried_and_the_other_way(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--root", str(tmp_path / "root")]) == 1
    said = capsys.readouterr().err
    for name in ("train-images-idx3-ubyte", "cifar-10-python.tar.gz", "input.txt"):
        assert f"http://127.0.0.1:9/{name}: cannot be reached" in said
    assert "python prepare_data.py --source FOLDER" in said
    assert "not prepared: mnist, cifar10, shakespeare" in said
    assert tree(tmp_path) == {}


def test_ctrl_c_ends_the_program_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "prepare_files", interrupted)
    assert program.main(["--root", str(tmp_path)]) == 130
    assert "run it again to go on from here" in capsys.readouterr().err


def test_cifar10_from_a_mirror_through_an_interruption(small_cifar10: bytes, serve: Serve, tmp_path: Path) -> None:
    home = serve({"/cifar-10-python.tar.gz": small_cifar10})
    home.cuts = [len(small_cifar10) // 2]
    lines: list[str] = []
    prepare("cifar10", tmp_path, home.url, say=lines.append)
    assert tree(tmp_path) == {f"cifar-10-batches-py/{name}": content for name, content in BATCHES.items()}
    assert "checksums right" in lines[-1]
    lines.clear()
    prepare("cifar10", tmp_path, say=lines.append)
    assert lines == [f"cifar10: {tmp_path / 'cifar-10-batches-py'} is there and right"]


def test_cifar10_archive_already_in_the_root_is_used_and_kept(small_cifar10: bytes, tmp_path: Path) -> None:
    write(tmp_path, {"cifar-10-python.tar.gz": small_cifar10})
    prepare("cifar10", tmp_path, say=lambda line: None)
    assert set(tree(tmp_path)) == {
        "cifar-10-python.tar.gz",
        *(f"cifar-10-batches-py/{name}" for name in BATCHES),
    }


@pytest.mark.parametrize("place", ["cifar-10-python.tar.gz", "cifar10/cifar-10-python.tar.gz"])
def test_cifar10_from_a_local_archive(place: str, small_cifar10: bytes, tmp_path: Path) -> None:
    path = tmp_path / "source" / place
    write(path.parent, {path.name: small_cifar10})
    for number, source in enumerate((tmp_path / "source", path)):
        root = tmp_path / f"root{number}"
        prepare("cifar10", root, str(source), say=lambda line: None)
        assert set(tree(root)) == {f"cifar-10-batches-py/{name}" for name in BATCHES}


def test_a_corrupt_cifar10_archive_of_a_mirror_is_never_unpacked(
    small_cifar10: bytes, serve: Serve, tmp_path: Path
) -> None:
    corrupt = small_cifar10[:-1] + bytes([small_cifar10[-1] ^ 1])
    home = serve({"/cifar-10-python.tar.gz": corrupt})
    with pytest.raises(DownloadError, match=r"not the published file: .*SHA-256 is"):
        prepare("cifar10", tmp_path, home.url, say=lambda line: None)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("name", ["../escape", "/escape", "cifar-10-batches-py/../../../escape"])
def test_an_archive_that_reaches_out_leaves_nothing(name: str, small_cifar10: bytes, tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"cifar-10-python.tar.gz": tar_of({name: b"x"})})
    with pytest.raises(DamagedDataError, match="would be written outside"):
        prepare("cifar10", tmp_path / "root", str(source), say=lambda line: None)
    assert set(tree(tmp_path)) == {"source/cifar-10-python.tar.gz"}


def test_cifar10_with_a_bad_batch_is_mended(small_cifar10: bytes, tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"cifar-10-python.tar.gz": small_cifar10})
    folder = write(tmp_path / "root" / "cifar-10-batches-py", BATCHES | {"data_batch_3": b"cut"})
    (folder / "batches.meta").unlink()
    (folder / "readme.html").write_bytes(b"the user's")
    untouched = (folder / "data_batch_1").stat().st_ino
    lines: list[str] = []
    prepare("cifar10", tmp_path / "root", str(source), say=lines.append)
    assert tree(folder) == BATCHES | {"data_batch_3.bad": b"cut", "readme.html": b"the user's"}
    assert (folder / "data_batch_1").stat().st_ino == untouched
    assert f"cifar10: the old {folder / 'data_batch_3'} is kept as {folder / 'data_batch_3'}.bad" in lines


def test_one_strange_batch_among_published_ones_is_damage(small_cifar10: bytes, tmp_path: Path) -> None:
    source = write(tmp_path / "source" / "cifar-10-batches-py", BATCHES | {"data_batch_3": b"cut"})
    with pytest.raises(DamagedDataError, match="data_batch_3: the MD5 is not the published one"):
        prepare("cifar10", tmp_path / "root", str(source), say=lambda line: None)
    assert tree(tmp_path / "root") == {}


def other_edition(folder: Path, **changes: Any) -> Path:
    """A folder in the published layout with made-up pictures, and `changes` to its first batch."""
    names = [name for name in CIFAR10_MD5 if name != "batches.meta"]
    whole = {"data": np.zeros((100, 3072), np.uint8), "labels": list(range(10)) * 10}
    content = {name: pickle.dumps(whole, protocol=4) for name in names}
    content["data_batch_1"] = pickle.dumps(whole | changes, protocol=4)
    content["batches.meta"] = pickle.dumps({"label_names": cifar.CLASSES}, protocol=4)
    return write(folder, content)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of another edition needs 100 pictures instead of 10,000."""
    monkeypatch.setattr(cifar, "BATCH", 100)


def test_another_edition_is_used_and_its_difference_said(small_batches: None, tmp_path: Path) -> None:
    source = other_edition(tmp_path / "source")
    lines: list[str] = []
    prepare("cifar10", tmp_path / "root", str(source), say=lines.append)
    assert tree(tmp_path / "root" / "cifar-10-batches-py") == tree(source)
    assert "other checksums" in lines[-1]
    lines.clear()
    prepare("cifar10", tmp_path / "root", say=lines.append)
    assert "is kept" in lines[0]
    assert "other checksums" in lines[0]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"labels": [0] * 100}, "[140, 40, 40, 40, 40, 40, 40, 40, 40, 40] pictures of the ten classes"),
        ({"labels": [0] * 99}, "99 labels for 100 pictures"),
        ({"labels": [10] * 100}, "label number 0 is 10"),
        (
            {"data": np.zeros((20, 3072), np.uint8), "labels": [0] * 20},
            "20 pictures; wanted 100",
        ),
        ({"labels": print}, "asks for builtins.print"),
    ],
)
def test_a_folder_of_another_content_is_refused(
    changes: dict[str, Any], complaint: str, small_batches: None, tmp_path: Path
) -> None:
    source = other_edition(tmp_path / "source", **changes)
    with pytest.raises(DamagedDataError) as error:
        prepare("cifar10", tmp_path / "root", str(source), say=lambda line: None)
    assert complaint in str(error.value)
    assert tree(tmp_path / "root") == {}


def test_a_script_among_the_data_is_named_and_not_run(tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"cifar10_jpeg.npz": b"", "make_cifar10.py": b"raise SystemExit(3)"})
    with pytest.raises(DataNotFoundError) as error:
        prepare("cifar10", tmp_path / "root", str(source), say=lambda line: None)
    assert f"run: python {source / 'make_cifar10.py'} DEST" in str(error.value)
    assert "python prepare_data.py --only cifar10 --source DEST" in str(error.value)


def test_a_source_without_cifar10_lists_the_places(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"has neither cifar-10-batches-py/.*nor cifar-10-python"):
        prepare("cifar10", tmp_path / "root", str(tmp_path), say=lambda line: None)


def test_sources_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="there is no such folder or file"):
        parse_source(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="wanted a folder, a file, or an address"):
        parse_source("ftp://127.0.0.1/data")
    with pytest.raises(ValueError, match="dataset is 'imagenet'; wanted one of mnist, cifar10, shakespeare"):
        prepare("imagenet")


def test_public_homes_are_several_and_https() -> None:
    for collection in (MNIST, CIFAR10_ARCHIVE, SHAKESPEARE):
        urls = urls_for(collection, collection.files[0].name, None)
        assert len(urls) >= 2
        assert all(url.startswith("https://") and "{" not in url for url in urls)


def test_the_address_of_the_file_itself_is_a_mirror() -> None:
    url = "https://127.0.0.1/x/cifar-10-python.tar.gz"
    assert urls_for(CIFAR10_ARCHIVE, "cifar-10-python.tar.gz", url) == [url]


def test_the_real_mnist_through_a_broken_connection(mnist_source: Path, serve: Serve, tmp_path: Path) -> None:
    home = serve({f"/mnist/{path.name}": path.read_bytes() for path in mnist_source.glob("*.gz")})
    home.cuts = [3_000_000, 3_000_000]
    prepare("mnist", tmp_path, home.url, say=lambda line: None)
    assert {path.name for path in (tmp_path / "mnist-784").iterdir()} == {file.name for file in MNIST.files}
    assert len([wanted for _, wanted in home.asked if wanted]) == 2


def test_the_real_shakespeare(shakespeare_source: Path, tmp_path: Path) -> None:
    for number, source in enumerate((shakespeare_source, shakespeare_source.parent.parent)):
        root = tmp_path / f"root{number}"
        prepare("shakespeare", root, str(source), say=lambda line: None)
        assert tree(root) == {"shakespeare/input.txt": shakespeare_source.read_bytes()}
