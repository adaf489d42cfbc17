"""CIFAR-10's batches as Python 2 wrote them and as Python 3 does, and what is wrong with bad ones."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ndl.datasets import CIFAR10, DamagedDataError, DataNotFoundError
from ndl.datasets.cifar10 import TEST_BATCHES, TRAIN_BATCHES

RNG = np.random.default_rng(1)


def batch(n: int = 4, **changes: Any) -> dict[str, Any]:
    whole = {
        "data": RNG.integers(0, 256, (n, 3072)).astype(np.uint8),
        "labels": RNG.integers(0, 10, n).tolist(),
        "filenames": [f"picture_{i}.png" for i in range(n)],
        "batch_label": "a batch",
    }
    return whole | changes


def write(folder: Path, content: dict[str, dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    content = content or {name: batch() for name in TRAIN_BATCHES + TEST_BATCHES}
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in content.items():
        (folder / name).write_bytes(pickle.dumps(entries, protocol=3))
    return content


@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "."])
def test_batches_follow_each_other(folder: str, tmp_path: Path) -> None:
    content = write(tmp_path / folder)
    train, test = CIFAR10(tmp_path), CIFAR10(tmp_path, train=False)
    rows = np.concatenate([content[name]["data"] for name in TRAIN_BATCHES])
    assert train.data.shape == (20, 32, 32, 3)
    assert train.data.dtype == np.uint8
    assert train.targets.tolist() == [label for name in TRAIN_BATCHES for label in content[name]["labels"]]
    assert train.targets.dtype == np.int64
    assert test.targets.tolist() == content["test_batch"]["labels"]
    # Byte 1024 c + 32 y + x of a row is channel c of the pixel in row y and column x.
    for c, y, x in [(0, 0, 0), (0, 0, 5), (1, 7, 2), (2, 31, 30)]:
        np.testing.assert_array_equal(train.data[:, y, x, c], rows[:, 1024 * c + 32 * y + x])


def test_items_and_arrays(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = CIFAR10(tmp_path)
    image, label = dataset[3]
    assert image.shape == (32, 32, 3)
    assert type(label) is int
    assert dataset.classes[label] in dataset.class_to_idx
    planes = torch.from_numpy(dataset.data.transpose(0, 3, 1, 2).copy()).to(torch.float32).div(255)
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
    expected = planes.sub(mean.view(3, 1, 1)).div(std.view(3, 1, 1))
    images, labels = dataset.arrays()
    np.testing.assert_array_equal(images, expected.numpy())
    assert images.flags.c_contiguous
    np.testing.assert_array_equal(labels, dataset.targets)
    np.testing.assert_array_equal(dataset.arrays(normalised=False)[0], planes.numpy())


def test_classes_are_torchvisions() -> None:
    assert CIFAR10.classes == [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"labels": [1, 2, 3]}, "3 labels for 4 pictures"),
        ({"labels": [1, 2, 10, 3]}, "label number 2 is 10; wanted 0 to 9"),
        ({"labels": [1, -1, 2, 3]}, "label number 1 is -1"),
        ({"labels": [1, 2, "cat", 3]}, "'labels' holds other things than integers"),
        ({"labels": None}, "wanted an array 'data' and a list 'labels'"),
        ({"data": None}, "wanted an array 'data' and a list 'labels'"),
        ({"data": np.zeros((4, 3000), np.uint8)}, "'data' has shape (4, 3000); wanted (N, 3072)"),
        ({"data": np.zeros((4, 3072), np.float32)}, "the array's dtype is b'f4'; wanted u1"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    write(folder)
    (folder / "data_batch_3").write_bytes(pickle.dumps(batch(**changes), protocol=3))
    with pytest.raises(DamagedDataError) as error:
        CIFAR10(tmp_path)
    assert str(error.value).startswith(str(folder / "data_batch_3"))
    assert complaint.replace("b'f4'", "'f4'") in str(error.value)
    assert str(error.value).endswith(f"Run: python prepare_data.py --only cifar10 --root {tmp_path}")


@pytest.mark.parametrize("keep", [0, 1, 50, 5000, -1])
def test_a_batch_cut_short_is_named(keep: int, tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "data_batch_2"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedDataError, match="data_batch_2: cut short or no pickle of a CIFAR-10 batch"):
        CIFAR10(tmp_path)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "data_batch_4").unlink()
    assert len(CIFAR10(tmp_path, train=False)) == 4
    with pytest.raises(DataNotFoundError, match="has no data_batch_4"):
        CIFAR10(tmp_path)
