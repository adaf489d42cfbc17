"""MNIST: 70,000 handwritten digits, 28 x 28, grey."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from .errors import DamagedDataError, advising
from .idx import read_idx
from .images import ImageDataset, check_labels
from .root import find_files, remedy, resolve_root

FOLDERS = ("mnist-784", "mnist", "MNIST/raw", ".")


class MNIST(ImageDataset):
    """Handwritten digits: 60,000 to train on, 10,000 to test on.

    Args:
        root: a data root that holds `mnist-784/` (as `prepare_data.py` makes it), `mnist/` or torchvision's
            `MNIST/raw/`, or itself a folder of the published IDX files, gzipped or not. None:
            `default_root()`.
        train: the training split, else the test split.
        transform, target_transform: applied to the picture (uint8, (28, 28)) and to the label by
            `dataset[i]`.

    `arrays()` normalises with mean 0.1307 and standard deviation 0.3081.

    Raises:
        DataNotFoundError: a folder or file is missing.
        DamagedDataError: a file is cut short, has another content, or labels and pictures do not fit.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998.
    """

    classes: ClassVar[list[str]] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]
    mean: ClassVar[tuple[float, ...]] = (0.1307,)
    std: ClassVar[tuple[float, ...]] = (0.3081,)

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        base = resolve_root(root)
        split = "train" if train else "t10k"
        names = (f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte")
        images_path, labels_path = find_files("mnist", base, FOLDERS, names)
        with advising(remedy("mnist", base, FOLDERS[0])):
            images = read_idx(images_path)
            if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
                raise DamagedDataError(
                    f"{images_path}: holds {images.dtype} of shape {images.shape}; wanted uint8 (N, 28, 28)."
                )
            labels = check_labels(read_idx(labels_path), len(images), self.classes, labels_path)
        super().__init__(images, labels, transform, target_transform)
        self.root = base
        self.train = train
