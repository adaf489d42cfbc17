"""A text as a dataset: each character a number, each window of characters an example."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import SupportsIndex

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

TRAIN_SHARE = 0.9


class CharacterText:
    """Windows of a text, for a model that predicts each next character.

    Example i is `x = data[i : i + block_size]` and `y = data[i + 1 : i + 1 + block_size]`, what follows x.

    Args:
        content: the whole text. Its characters, sorted, are the vocabulary of both splits.
        split: "train", the first nine tenths of the text, or "val", the rest (as nanoGPT splits it).
        block_size: characters in a window.

    Attributes:
        text: this split's text.
        data: this split's characters as int64 numbers.
        vocabulary: all characters in the order of their numbers.

    Raises:
        ValueError: another split, or a split shorter than one window and the character after it.
    """

    def __init__(self, content: str, split: str = "train", block_size: int = 256) -> None:
        if split not in ("train", "val"):
            raise ValueError(f"split is {split!r}; wanted 'train' or 'val'")
        if block_size < 1:
            raise ValueError(f"block_size is {block_size}; wanted 1 or more")
        cut = int(TRAIN_SHARE * len(content))
        self.split = split
        self.block_size = block_size
        self.vocabulary = "".join(sorted(set(content)))
        self._codes = _code_points(self.vocabulary)
        self.text = content[:cut] if split == "train" else content[cut:]
        if len(self.text) <= block_size:
            raise ValueError(
                f"the {split} split has {len(self.text)} characters; a window of block_size {block_size} and "
                f"the character after it need {block_size + 1}. Use a smaller block_size or a longer text."
            )
        self.data = self.encode(self.text)

    @property
    def vocab_size(self) -> int:
        """How many different characters there are."""
        return len(self.vocabulary)

    def encode(self, text: str) -> NDArray[np.int64]:
        """The numbers of the characters of `text`.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        codes = _code_points(text)
        numbers = np.searchsorted(self._codes, codes)
        unknown = self._codes[np.minimum(numbers, self.vocab_size - 1)] != codes
        if unknown.any():
            position = int(np.argmax(unknown))
            raise ValueError(
                f"character {text[position]!r} at position {position} is not among the {self.vocab_size} "
                f"of the vocabulary {self.vocabulary!r}"
            )
        return numbers.astype(np.int64)

    def decode(self, numbers: Iterable[SupportsIndex]) -> str:
        """The text of these numbers.

        Raises:
            IndexError: a number that is no character's.
        """
        wanted = [operator.index(number) for number in numbers]
        for position, number in enumerate(wanted):
            if not 0 <= number < self.vocab_size:
                raise IndexError(f"number {number} at position {position}; wanted 0 to {self.vocab_size - 1}")
        return "".join(self.vocabulary[number] for number in wanted)

    def __len__(self) -> int:
        return len(self.data) - self.block_size

    def __getitem__(self, index: SupportsIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Window `index` and the same window one character later, both int64 (block_size,)."""
        position = operator.index(index)
        start = position + len(self) if position < 0 else position
        if not 0 <= start < len(self):
            raise IndexError(f"window {position} of {len(self)}")
        window = self.data[start : start + self.block_size + 1].copy()
        return window[:-1], window[1:]

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All windows x and y, both int64 (N, block_size), for a loader of arrays.

        They are read-only views of `data` and take no memory; picking rows (`x[rows]`) copies just those.
        """
        windows = sliding_window_view(self.data, self.block_size)
        return windows[:-1], windows[1:]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split}: {len(self.text):,} characters, {self.vocab_size} different)"


def _code_points(text: str | Sequence[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join(text).encode("utf-32-le"), "<u4")
