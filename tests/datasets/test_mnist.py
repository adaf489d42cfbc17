"""MNIST from every layout it comes in, its numbers against torchvision's arithmetic, and its bad files."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from ndl.datasets import MNIST, DamagedDataError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 0, 9, 1, 1, 5, 8], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        for name, array in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte", labels)):
            content = idx(array if split == "train" else array[:4])
            path = folder / (name + ".gz" if packed else name)
            path.write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("folder", ["mnist-784", "mnist", "MNIST/raw", "."])
def test_found_in_every_layout(folder: str, packed: bool, tmp_path: Path) -> None:
    write(tmp_path / folder, packed=packed)
    train, test = MNIST(tmp_path), MNIST(tmp_path, train=False)
    assert (len(train), len(test)) == (7, 4)
    np.testing.assert_array_equal(train.data, IMAGES)
    np.testing.assert_array_equal(test.targets, LABELS[:4])
    assert train.data.dtype == np.uint8
    assert train.targets.dtype == np.int64


def test_found_under_the_default_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "mnist-784")
    monkeypatch.setenv("NDL_DATA_ROOT", str(tmp_path))
    assert len(MNIST()) == 7


def test_items_are_a_picture_of_their_own_and_an_int(tmp_path: Path) -> None:
    dataset = MNIST(write(tmp_path))
    image, label = dataset[2]
    np.testing.assert_array_equal(image, IMAGES[2])
    assert type(label) is int
    assert label == 9
    image[:] = 0
    np.testing.assert_array_equal(dataset.data[2], IMAGES[2])
    assert dataset[-1][1] == dataset[np.int64(6)][1] == 8
    assert [label for _, label in dataset] == LABELS.tolist()  # iteration ends by IndexError
    with pytest.raises(IndexError):
        dataset[7]
    with pytest.raises(TypeError):
        dataset["2"]


def test_transforms_are_applied(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = MNIST(tmp_path, transform=lambda image: image[None] / 255, target_transform=lambda label: -label)
    image, label = dataset[0]
    assert image.shape == (1, 28, 28)
    assert label == -3


def test_arrays_equal_to_tensor_and_normalize_bit_for_bit(tmp_path: Path) -> None:
    dataset = MNIST(write(tmp_path))
    scaled = torch.from_numpy(IMAGES)[:, None].to(torch.float32).div(255)
    plain, labels = dataset.arrays(normalised=False)
    np.testing.assert_array_equal(plain, scaled.numpy())
    normal, _ = dataset.arrays()
    expected = scaled.sub(torch.tensor(0.1307)).div(torch.tensor(0.3081))
    np.testing.assert_array_equal(normal, expected.numpy())
    assert normal.dtype == np.float32
    assert normal.flags.c_contiguous
    assert labels.dtype == np.int64
    labels[:] = 0
    assert dataset.targets[0] == 3


def test_class_names(tmp_path: Path) -> None:
    dataset = MNIST(write(tmp_path))
    assert dataset.classes[4] == "4 - four"
    assert dataset.class_to_idx["9 - nine"] == 9


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (IMAGES, LABELS[:5], "5 labels for 7 pictures"),
        (
            IMAGES,
            np.array([3, 0, 10, 1, 1, 250, 8], np.uint8),
            "label number 2 is 10; wanted 0 to 9 (2 are wrong)",
        ),
        (IMAGES[:, :20], LABELS, "holds uint8 of shape (7, 20, 28); wanted uint8 (N, 28, 28)"),
        (LABELS, LABELS, "holds uint8 of shape (7,)"),
        (IMAGES, IMAGES, "labels have shape (7, 28, 28)"),
    ],
)
def test_what_does_not_fit_is_named(images: np.ndarray, labels: np.ndarray, complaint: str, tmp_path: Path) -> None:
    write(tmp_path / "mnist-784", images, labels)
    with pytest.raises(DamagedDataError) as error:
        MNIST(tmp_path)
    assert complaint in str(error.value)
    assert str(tmp_path / "mnist-784" / "train-") in str(error.value)
    assert str(error.value).endswith(f"Run: python prepare_data.py --only mnist --root {tmp_path}")


def test_truncated_pictures_are_named_with_the_command_to_run(tmp_path: Path) -> None:
    path = write(tmp_path / "mnist-784") / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedDataError) as error:
        MNIST(tmp_path)
    assert str(path) in str(error.value)
    assert "the header says 7x28x28, which is 5,488 bytes, but 984 follow" in str(error.value)
    assert "prepare_data.py --only mnist" in str(error.value)


def test_the_real_thing(mnist_source: Path) -> None:
    train, test = MNIST(mnist_source), MNIST(mnist_source, train=False)
    assert train.data.shape == (60_000, 28, 28)
    assert test.data.shape == (10_000, 28, 28)
    assert repr(test) == "MNIST(10000 pictures of 28x28)"
    assert train.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.targets[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(train.targets).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    # The constants that everybody normalises with are this split's own.
    assert round(float(train.data.mean() / 255), 4) == train.mean[0]
    assert round(float(train.data.std() / 255), 4) == train.std[0]
