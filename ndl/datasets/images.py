"""What MNIST, CIFAR-10 and the digits share: pictures with one label each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ndl.autograd.tensor import Tensor
from ndl.ops.creation import from_numpy
from ndl.utils.data.collate import default_collate

from .errors import DamagedDataError


class ImageDataset:
    """Labelled pictures held in memory.

    Attributes:
        data: uint8 pictures, (N, H, W) where there is one channel and (N, H, W, C) where there are more.
        targets: int64 labels (N,).
        classes: the name of each label.
        full_scale: the pixel value that means 1.0.
        mean, std: of each channel over the training split, pixels scaled to [0, 1].
    """

    classes: ClassVar[list[str]]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]
    full_scale: ClassVar[int] = 255

    def __init__(
        self,
        data: NDArray[np.uint8],
        targets: NDArray[np.int64],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.data = data
        self.targets = targets
        self.transform = transform
        self.target_transform = target_transform

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, Any]:
        """Picture `index` (a uint8 array of its own) and its label (an int), each through its transform."""
        position = operator.index(index)
        image: Any = self.data[position].copy()
        target: Any = int(self.targets[position])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def batch(self, indices: Sequence[int]) -> list[Tensor]:
        """The pictures and labels of ``indices`` as two tensors: what a DataLoader would collate, at once.

        Pictures are as in ``dataset[i]``: uint8 unless a transform makes something else of them.
        """
        if self.transform is not None or self.target_transform is not None:
            return default_collate([self[i] for i in indices])
        rows = np.asarray(indices, np.intp)
        return [from_numpy(self.data.take(rows, 0)), from_numpy(self.targets.take(rows))]

    def arrays(self, normalised: bool = True) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The whole split as float32 pictures (N, C, H, W) and int64 labels (N,), for a loader of arrays.

        Pixels are `x = data / full_scale`, in [0, 1]; with `normalised` (the default) `(x - mean) / std`,
        channel by channel. No transform is applied. Every call makes new pictures: 188 MB for MNIST's
        training split, 614 MB for CIFAR-10's.
        """
        planes = self.data[:, None] if self.data.ndim == 3 else self.data.transpose(0, 3, 1, 2)  # (N, C, H, W)
        images = np.divide(planes, np.float32(self.full_scale), dtype=np.float32, order="C")
        if normalised:
            # In these steps and in float32, so that the numbers equal torchvision's ToTensor and Normalize.
            images -= np.asarray(self.mean, np.float32).reshape(1, -1, 1, 1)
            images /= np.asarray(self.std, np.float32).reshape(1, -1, 1, 1)
        return images, self.targets.copy()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} pictures of {'x'.join(map(str, self.data.shape[1:]))})"


def check_labels(labels: NDArray[Any], pictures: int, classes: Sequence[str], where: object) -> NDArray[np.int64]:
    """`labels` as int64, after checking that each picture has one and that each names a class.

    `where` is what an error names.

    Raises:
        DamagedDataError: another number of labels than of pictures, or a label that is no class.
    """
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DamagedDataError(
            f"{where}: labels have shape {labels.shape} and dtype {labels.dtype}; wanted integers (N,)."
        )
    if len(labels) != pictures:
        raise DamagedDataError(f"{where}: {len(labels):,} labels for {pictures:,} pictures; wanted as many.")
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if wrong.size:
        first = wrong[0]
        raise DamagedDataError(
            f"{where}: label number {first} is {labels[first]}; wanted 0 to {len(classes) - 1} "
            f"({wrong.size:,} are wrong)."
        )
    return labels.astype(np.int64)
