"""CIFAR-10: 60,000 small photographs of ten kinds of things, 32 x 32, in colour."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import DamagedDataError, advising
from .images import ImageDataset, check_labels
from .root import find_files, remedy, resolve_root
from .safe_pickle import read_batch_pickle

FOLDERS = ("cifar-10-batches-py", ".")
TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCHES = ("test_batch",)
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures (N, 3, 32, 32) and labels (N,) of one published batch file.

    A row of the file's (N, 3072) array is a picture: 1024 red values row by row, then green, then blue.

    Raises:
        DamagedDataError: not such a batch.
    """
    batch = read_batch_pickle(path)
    data, labels = batch.get("data"), batch.get("labels")
    if not isinstance(data, np.ndarray) or not isinstance(labels, list):
        raise DamagedDataError(f"{path}: has {sorted(batch)}; wanted an array 'data' and a list 'labels'.")
    if data.ndim != 2 or data.shape[1] != 3072:
        raise DamagedDataError(f"{path}: 'data' has shape {data.shape}; wanted (N, 3072).")
    if not all(isinstance(label, int) for label in labels):
        raise DamagedDataError(f"{path}: 'labels' holds other things than integers.")
    checked = check_labels(np.asarray(labels, np.int64), len(data), CLASSES, path)
    return data.reshape(-1, 3, 32, 32), checked


class CIFAR10(ImageDataset):
    """Photographs of ten kinds of things: 50,000 to train on, 10,000 to test on.

    Args:
        root: a data root that holds `cifar-10-batches-py/`, or that folder itself. None: `default_root()`.
        train: the training split, else the test split.
        transform, target_transform: applied to the picture (uint8, (32, 32, 3)) and to the label by
            `dataset[i]`.

    `arrays()` normalises red, green and blue with means 0.4914, 0.4822, 0.4465 and standard deviations
    0.2470, 0.2435, 0.2616.

    Raises:
        DataNotFoundError: a folder or file is missing.
        DamagedDataError: a batch is cut short, has another content, or labels and pictures do not fit.
        ForbiddenPickleError: a batch asks for anything but a NumPy array; it is not loaded.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """

    classes: ClassVar[list[str]] = CLASSES
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2470, 0.2435, 0.2616)

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        base = resolve_root(root)
        paths = find_files("cifar10", base, FOLDERS, TRAIN_BATCHES if train else TEST_BATCHES)
        with advising(remedy("cifar10", base, FOLDERS[0])):
            batches = [read_batch(path) for path in paths]
        planes = np.concatenate([pictures for pictures, _ in batches])  # (N, 3, 32, 32)
        labels = np.concatenate([batch_labels for _, batch_labels in batches])
        super().__init__(planes.transpose(0, 2, 3, 1), labels, transform, target_transform)  # (N, 32, 32, 3)
        self.root = base
        self.train = train
