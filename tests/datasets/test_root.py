"""Where data is looked for, and what is said when it is not there."""

from pathlib import Path

import pytest

from ndl.datasets import CIFAR10, MNIST, DataNotFoundError, Shakespeare, default_root
from ndl.datasets.root import find_files


def test_default_root_is_the_variable_and_else_data_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NDL_DATA_ROOT", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.setenv("NDL_DATA_ROOT", "")
    assert default_root() == Path("data")
    monkeypatch.delenv("NDL_DATA_ROOT")
    assert default_root() == Path("data")


@pytest.mark.parametrize(("dataset", "name"), [(MNIST, "mnist"), (CIFAR10, "cifar10"), (Shakespeare, "shakespeare")])
def test_missing_root_is_named_with_the_command_to_run(dataset: type, name: str, tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    with pytest.raises(DataNotFoundError) as error:
        dataset(root)
    message = str(error.value)
    assert f"{root} does not exist" in message
    assert f"python prepare_data.py --only {name} --root {root}" in message


def test_missing_default_root_needs_no_root_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NDL_DATA_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(DataNotFoundError, match=r"Run: python prepare_data.py --only mnist$"):
        MNIST()


def test_the_error_is_torchvisions_and_pythons_kind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        MNIST(tmp_path)
    with pytest.raises(FileNotFoundError):
        MNIST(tmp_path)


def test_empty_root_lists_the_places_looked_in(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError) as error:
        MNIST(tmp_path)
    assert str(tmp_path / "mnist-784") in str(error.value)
    assert "train-images-idx3-ubyte" in str(error.value)


def test_one_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mnist-784").mkdir()
    (tmp_path / "mnist-784" / "train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataNotFoundError, match=r"mnist-784 has no train-labels-idx1-ubyte"):
        MNIST(tmp_path)


def test_advice_for_the_datasets_own_folder_names_the_root_above(tmp_path: Path) -> None:
    folder = tmp_path / "mnist-784"
    folder.mkdir()
    with pytest.raises(DataNotFoundError) as error:
        MNIST(folder)
    assert str(error.value).endswith(f"--root {tmp_path}")


def test_a_complete_folder_wins_over_a_partial_one_before_it(tmp_path: Path) -> None:
    for path in ("first/a", "second/a", "second/b.gz"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    found = find_files("mnist", tmp_path, ("first", "second"), ("a", "b"))
    assert found == [tmp_path / "second" / "a", tmp_path / "second" / "b.gz"]
