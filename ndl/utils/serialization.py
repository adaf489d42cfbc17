"""``save`` and ``load``: files in PyTorch's own format, written and read without PyTorch.

A file is a zip archive whose members are stored as they are, not compressed:

    archive/data.pkl      the object, pickled; tensors in it refer to storages by key
    archive/data/0        the bytes of storage 0, as they lie in memory
    archive/data/1 …
    archive/byteorder     "little" or "big"
    archive/version       3

Every member has a CRC-32 check sum, so that damage is noticed.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from ndl.autograd.device import device
from ndl.utils.atomic import replacing
from ndl.utils.pickles import FilePickler, FileUnpickler
from ndl.utils.torch_names import BFLOAT16, STORAGES, Name, Storage

__all__ = ["load", "save"]

File = str | os.PathLike[str] | IO[bytes]

ALIGNMENT = 64  # storages begin at multiples of it, so that a file can be mapped into memory
_DTYPES = {name: dtype for dtype, name in STORAGES.items()}


def save(
    obj: Any,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write ``obj`` to a file that ``ndl.load`` and ``torch.load`` read.

    ``obj``: a ``state_dict()`` of a module, optimiser or scheduler, a tensor, or any nesting of dictionaries, lists,
    tuples, sets, numbers, text, None, tensors and parameters. Tensors keep their type, strides and ``requires_grad``,
    and those that share memory still share it after loading; as in PyTorch, a view brings all the memory of its base.
    NumPy arrays and numbers are written as NumPy pickles them (``torch.load`` wants NumPy's names allowed first, with
    ``torch.serialization.add_safe_globals``). Other objects, such as a whole module, are pickled by the names of their
    classes: they need ``weights_only=False`` to be loaded, and PyTorch cannot read them.

    ``f``: a path, or a file open for writing bytes. A path is replaced in one step once all is written: an
    interrupted ``save`` leaves the file that was there before.

    ``pickle_module``, ``pickle_protocol`` and ``_use_new_zipfile_serialization`` are accepted; there is one format.

    Raises RuntimeError for a folder that is not there, OSError if it cannot be written, ``pickle.PicklingError`` (or
    AttributeError, TypeError) for what cannot be pickled, such as a lambda.
    """
    if isinstance(f, (str, os.PathLike)):
        _check_folder(f)
    buffer = io.BytesIO()
    pickler = FilePickler(buffer)
    pickler.dump(obj)
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file:
            _write(file, buffer.getvalue(), pickler.storages)
    else:
        _write(f, buffer.getvalue(), pickler.storages)


def _check_folder(path: str | os.PathLike[str]) -> None:
    folder = os.path.dirname(os.fspath(path))
    if folder and not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist; make it first, for example with os.makedirs")


def _write(file: IO[bytes], pickled: bytes, storages: list[Storage]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "data.pkl", pickled)
        _add(archive, "byteorder", sys.byteorder.encode())
        for key, storage in enumerate(storages):
            _add(archive, f"data/{key}", storage.memory.data)
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, content: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(f"archive/{name}")
    size = info.file_size = len(content)
    wide = size * 1.05 > zipfile.ZIP64_LIMIT  # then zipfile adds a field of 20 bytes to the header
    assert archive.fp is not None
    header = archive.fp.tell() + 30 + len(info.filename) + 4 + 20 * wide
    fill = -header % ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", fill) + b"Z" * fill
    with archive.open(info, "w") as member:
        member.write(content)


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what ``ndl.save`` or ``torch.save`` wrote.

    ``f``: a path, or a seekable file open for reading bytes. ``map_location`` may say "cpu"; whatever device a tensor
    was on, it is on the CPU here. ``mmap`` is accepted; the file is always read. So are
    ``pickle_module`` and ``encoding``, which PyTorch needs for files from Python 2. bfloat16 tensors become float32,
    which holds the same numbers. With ``weights_only`` (the default) the file can bring nothing but tensors, NumPy
    arrays and plain data; without, it can run any code, so do that only with files whose maker you trust.

    Raises RuntimeError, naming the file, if it is empty, cut short, damaged, or no such file at all;
    ``pickle.UnpicklingError`` if it asks for something that is not admitted; FileNotFoundError if it is not there.
    """
    if isinstance(map_location, (str, device)):
        device(map_location)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _read(file, os.fspath(f), not weights_only)
    return _read(f, str(getattr(f, "name", "the file given")), not weights_only)


def _read(file: IO[bytes], name: str, trusting: bool) -> Any:
    start = file.tell()
    head = file.read(4)
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    with _explaining(name, head, size - start), zipfile.ZipFile(file) as archive:
        return _read_archive(archive, trusting)


def _read_archive(archive: zipfile.ZipFile, trusting: bool) -> Any:
    pickles = [n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise _Wrong("it is a zip archive, but has no data.pkl, so neither ndl nor PyTorch saved it")
    folder = pickles[0].removesuffix("data.pkl")
    names = set(archive.namelist())
    order = archive.read(folder + "byteorder").decode() if folder + "byteorder" in names else "little"
    loaded: dict[str, Storage] = {}

    def storage(key: str, kind: Name, count: int) -> Storage:
        if key not in loaded:
            memory = _member(archive, f"{folder}data/{key}")
            loaded[key] = _as_storage(memory, kind, order != sys.byteorder)
        return loaded[key]

    return FileUnpickler(io.BytesIO(archive.read(pickles[0])), storage, trusting).load()


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The bytes of a member in memory of their own, which may be written; its check sum is compared on the way."""
    memory = np.empty(archive.getinfo(name).file_size, np.uint8)
    place = 0
    with archive.open(name) as member:
        while count := member.readinto(memory.data[place:]):  # type: ignore[attr-defined]
            place += count
        member.read()
    if place != memory.size:
        raise EOFError(f"{name} ends after {place} of {memory.size} bytes")
    return memory


def _as_storage(memory: np.ndarray, kind: Name, swapped: bool) -> Storage:
    if (kind.module, kind.name) == (BFLOAT16.module, BFLOAT16.name):  # the upper half of a float32
        halves = memory.view(np.uint16)
        wide = (halves.byteswap() if swapped else halves).astype(np.uint32) << np.uint32(16)
        return Storage(wide.view(np.uint8), np.dtype(np.float32))
    if kind not in _DTYPES:
        raise pickle.UnpicklingError(f"{kind.module}.{kind.name} is not the type of a storage")
    dtype = _DTYPES[kind]
    if swapped:
        if dtype is None:
            raise _Wrong(
                "it was written on a machine with the other byte order, and has a type that does not tell its size"
            )
        memory.view(dtype).byteswap(inplace=True)
    return Storage(memory, dtype)


class _Wrong(Exception):
    """What is wrong with a file, as the end of a sentence."""


@contextlib.contextmanager
def _explaining(name: str, head: bytes, size: int) -> Iterator[None]:
    """Say of any error in reading the file which file it is, what is wrong and what to do."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"{name}: {error}.") from None
    except Exception as error:  # damaged bytes can make zipfile and pickle raise nearly anything
        raise RuntimeError(
            f"cannot load {name}: {_what_is_wrong(error, head, size)}. Nothing was changed. Use another copy of the "
            "file, or make it again."
        ) from error


def _what_is_wrong(error: Exception, head: bytes, size: int) -> str:
    if isinstance(error, _Wrong):
        return str(error)
    if size == 0:
        return "it is empty (0 bytes)"
    if head[:2] != b"PK":
        old = "; PyTorch before 1.6 wrote such files: load it there and save it again" if head[:1] == b"\x80" else ""
        return f"it begins with {head!r}, so it is not a file that ndl.save or torch.save wrote{old}"
    if isinstance(error, zipfile.BadZipFile) and "CRC" not in str(error):
        return f"it is cut short or damaged: its {size:,} bytes do not end as a zip archive does ({error})"
    return f"its content is damaged ({type(error).__name__}: {error})"
