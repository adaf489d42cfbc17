"""Read a CIFAR-10 batch without trusting it.

A pickle is a program: it may name any function of any installed module and call it. The published batches
name three (NumPy's `_reconstruct`, `ndarray` and `dtype`), so three are admitted. Even those are answered
with the stand-ins below and not with NumPy's own, so that nothing but the bytes of a uint8 array can come
out.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import DamagedDataError, ForbiddenPickleError


class _DtypeStandIn:
    """Takes the place of `numpy.dtype('u1', align, copy)`."""

    __slots__ = ()

    def __init__(self, code: object, align: object, copy: object) -> None:
        if code not in ("u1", b"u1"):
            raise ValueError(f"the array's dtype is {code!r}; wanted u1")

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, which a one-byte type does not have."""


class _ArrayStandIn:
    """Takes the place of `_reconstruct(ndarray, (0,), 'b')`: an array that `__setstate__` fills."""

    __slots__ = ("value",)

    def __init__(self, subtype: object, shape: object, code: object) -> None:
        self.value: NDArray[np.uint8] = np.empty(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _DtypeStandIn):
            raise ValueError("the array's dtype is missing")
        self.value = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


_ADMITTED: dict[tuple[str, str], Any] = {
    # NumPy 2 moved the module; its own pickles say `numpy._core`, the published ones `numpy.core`.
    ("numpy.core.multiarray", "_reconstruct"): _ArrayStandIn,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayStandIn,
    ("numpy", "dtype"): _DtypeStandIn,
    ("numpy", "ndarray"): None,  # only ever an argument of `_reconstruct`, which ignores it
}


class _BatchUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, path: Path) -> None:
        # "bytes" leaves the strings of Python 2 as they are; any text encoding would have to guess.
        super().__init__(file, encoding="bytes")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise ForbiddenPickleError(
                f"{self._path}: the pickle asks for {module}.{name}; a CIFAR-10 batch needs no more than a "
                "NumPy array. The file was not loaded. Do not open it with pickle.load: it may run anything."
            ) from None


def read_batch_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a batch file, its keys as str, its array as uint8, its other strings as they are.

    Reads the published Python 2 pickles and what Python 3 writes with protocol 3 or 4.

    Raises:
        ForbiddenPickleError: it names anything but a NumPy array. Also a `pickle.UnpicklingError`.
        DamagedDataError: it is cut short, corrupt, or no dictionary.
    """
    try:
        with path.open("rb") as file:
            content = _BatchUnpickler(file, path).load()
    except (ForbiddenPickleError, OSError):
        raise
    except Exception as error:  # a corrupt pickle can make the unpickler raise nearly anything
        raise DamagedDataError(
            f"{path}: cut short or no pickle of a CIFAR-10 batch ({type(error).__name__}: {error}); "
            f"the file has {path.stat().st_size:,} bytes."
        ) from error
    if not isinstance(content, dict):
        raise DamagedDataError(f"{path}: the pickle holds a {type(content).__name__}; wanted a dictionary.")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): (
            value.value if isinstance(value, _ArrayStandIn) else value
        )
        for key, value in content.items()
    }
