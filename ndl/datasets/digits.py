"""The digits that scikit-learn ships: 1,797 handwritten digits, 8 x 8, there without any download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .images import ImageDataset
from .optional import optional

TEST_EVERY = 5


class Digits(ImageDataset):
    """Small handwritten digits: 1,442 to train on, 355 to test on; pixels are 0 to 16.

    The split is fixed and needs no random numbers: of each class, in the order in which scikit-learn gives
    the pictures, every fifth (the 5th, 10th, 15th, ...) is for testing. So each class has the same share in
    both splits. A writer's digits may be in both, so the test accuracy is kinder than with new writers.

    Args:
        train: the training split, else the test split.
        transform, target_transform: applied to the picture (uint8, (8, 8)) and to the label by `dataset[i]`.

    `arrays()` divides by 16 and normalises with mean 0.3051 and standard deviation 0.3762.

    Raises:
        ImportError: scikit-learn is not installed.

    Source: Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998 (its test part).
    """

    classes: ClassVar[list[str]] = [str(digit) for digit in range(10)]
    mean: ClassVar[tuple[float, ...]] = (0.3051,)
    std: ClassVar[tuple[float, ...]] = (0.3762,)
    full_scale: ClassVar[int] = 16

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        bunch = optional("sklearn.datasets", "The Digits dataset").load_digits()
        targets = np.asarray(bunch.target, np.int64)
        chosen = held_out(targets) ^ train
        super().__init__(bunch.images[chosen].astype(np.uint8), targets[chosen], transform, target_transform)
        self.train = train


def held_out(targets: NDArray[np.int64], every: int = TEST_EVERY) -> NDArray[np.bool_]:
    """True for every `every`-th example of each class, counted within the class."""
    mask = np.zeros(len(targets), bool)
    for label in np.unique(targets):
        members = np.flatnonzero(targets == label)
        mask[members[every - 1 :: every]] = True
    return mask
