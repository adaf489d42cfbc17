"""Tiny Shakespeare: about a million characters of his plays, in one file."""

from __future__ import annotations

import os

from .checked import checked_chunks
from .errors import advising
from .gzipped import unpacked_chunks
from .published import SHAKESPEARE
from .root import find_files, remedy, resolve_root
from .text import CharacterText

FOLDERS = ("shakespeare", "tinyshakespeare", ".")


class Shakespeare(CharacterText):
    """The 1,115,394 characters of Tiny Shakespeare, 65 of them different, as windows of characters.

    Args:
        root: a data root that holds `shakespeare/input.txt`, or the folder with `input.txt`. None:
            `default_root()`.
        split: "train", the first nine tenths, or "val", the rest.
        block_size: characters in a window.

    Raises:
        DataNotFoundError: the file is missing.
        DamagedDataError: the file is not the published text (`CharacterText` takes any).

    Source: Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015 (char-rnn).
    """

    def __init__(self, root: str | os.PathLike[str] | None = None, split: str = "train", block_size: int = 256) -> None:
        self.root = resolve_root(root)
        (path,) = find_files("shakespeare", self.root, FOLDERS, ("input.txt",))
        with advising(remedy("shakespeare", self.root, FOLDERS[0])):
            content = b"".join(checked_chunks(unpacked_chunks(path), SHAKESPEARE.files[0], path))
        super().__init__(content.decode("ascii"), split, block_size)
