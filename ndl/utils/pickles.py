"""The pickle inside a file of PyTorch: written with PyTorch's names, read with a list of what may be named.

A tensor in it is a call, ``_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)``, and a storage
is a *persistent id*: ``("storage", its type, its key, "cpu", its length)``. The memory itself is not in the pickle.

Python's pickle module has each class twice. These are built on the ones written in Python: the ones written in C
can neither write a name that is not importable nor look at a BUILD instruction before it is carried out.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.device import device
from ndl.autograd.dtypes import dtype
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.nn.parameter import Parameter
from ndl.utils.torch_names import (
    ADMITTED,
    DEVICE,
    DTYPES,
    NO_BYTES,
    PARAMETER,
    SIZE,
    STORAGES,
    TENSOR,
    TENSOR_OF_DTYPE,
    Name,
    Storage,
)

__all__ = ["FilePickler", "FileUnpickler"]

PROTOCOL = 2  # the one PyTorch writes, and the only one it reads without a warning


class FilePickler(pickle._Pickler):
    """Pickles one object; ``storages`` then has the memory that its tensors look at, by key ("0", "1", …)."""

    dispatch: Any = pickle._Pickler.dispatch.copy()  # type: ignore

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, PROTOCOL)
        self.storages: list[Storage] = []
        self._key_at: dict[tuple[int, np.dtype], int] = {}
        self._kept: list[np.ndarray] = []  # an address means something only while its memory lives

    def _save_name(self, name: Name) -> None:
        self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())  # type: ignore[attr-defined]
        self.memoize(name)  # type: ignore[attr-defined]

    dispatch[Name] = _save_name

    def _save_bytes(self, value: bytes) -> None:
        if value:
            pickle._Pickler.dispatch[bytes](self, value)  # type: ignore
        else:  # Python would name bytes, which PyTorch does not admit
            self.save_reduce(NO_BYTES, ("", "latin1"), obj=value)  # type: ignore[attr-defined]

    dispatch[bytes] = _save_bytes

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Listed):
            return None
        storage = self.storages[obj.key]
        length = storage.memory.size // (storage.dtype.itemsize if storage.dtype else 1)
        return "storage", STORAGES[storage.dtype], str(obj.key), "cpu", length

    def reducer_override(self, obj: Any) -> Any:
        """How the things are written that are ours here and PyTorch's in the file."""
        if isinstance(obj, Parameter):
            return PARAMETER, (Tensor._wrap(obj._array), obj.requires_grad, OrderedDict())
        if isinstance(obj, Tensor):
            return self._reduce_tensor(obj)
        if isinstance(obj, Size):
            return SIZE, (tuple(obj),)
        if isinstance(obj, device):
            return DEVICE, ("cpu",)
        return NotImplemented

    def _save_dtype(self, obj: dtype) -> None:
        self.save(DTYPES[obj])  # type: ignore[attr-defined]

    dispatch[dtype] = _save_dtype

    def _reduce_tensor(self, t: Tensor) -> tuple:
        array = t._array
        root = _memory_of(array)
        if root is None:
            array = np.array(array, array.dtype.newbyteorder("="), order="C")
            root = array
        itemsize = array.itemsize
        kind: np.dtype | None = array.dtype if array.dtype in STORAGES else None
        key = self._key_at.get((_address(root), array.dtype))
        if key is None:
            key = self._key_at[_address(root), array.dtype] = len(self.storages)
            self._kept.append(root)
            self.storages.append(Storage(root.reshape(-1).view(np.uint8), kind))
        offset = (_address(array) - _address(root)) // itemsize if array.size else 0
        strides = tuple(s // itemsize for s in array.strides)
        args: tuple = (_Listed(key), offset, array.shape, strides, t.requires_grad, OrderedDict())
        return (TENSOR, args) if kind is not None else (TENSOR_OF_DTYPE, (*args, t.dtype))


class _Listed:
    """A storage by its key, where the pickle has it."""

    def __init__(self, key: int) -> None:
        self.key = key


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _memory_of(array: np.ndarray) -> np.ndarray | None:
    """The memory that ``array`` looks at, as a C-contiguous array of its type.

    None if a file of PyTorch cannot tell it: strides that run backwards, bytes in the other order, memory that also
    is of another type. Such an array is written as a copy.
    """
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    order = sorted(range(root.ndim), key=lambda axis: -root.strides[axis])
    dense = root.transpose(order)
    size = array.itemsize
    fits = (
        dense.flags.c_contiguous
        and root.dtype == array.dtype
        and array.dtype.isnative
        and all(s >= 0 and s % size == 0 for s in array.strides)
    )
    return dense if fits else None


class FileUnpickler(pickle._Unpickler):
    """Reads such a pickle; ``storage(key, dtype, count)`` gives the memory. ``trusting`` admits any name."""

    dispatch: Any = pickle._Unpickler.dispatch.copy()  # type: ignore

    def __init__(self, file: io.BytesIO, storage: Callable[[str, Name, int], Storage], trusting: bool = False) -> None:
        super().__init__(file)
        self._storage = storage
        self._trusting = trusting

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in ADMITTED and not (self._trusting and module.startswith("numpy")):
            return ADMITTED[module, name]
        if module == "torch" or module.startswith("torch."):
            raise pickle.UnpicklingError(
                f"the file holds a {module}.{name}, which is part of PyTorch and has no counterpart here. Load it "
                "with PyTorch and save the state_dict() alone"
            )
        if self._trusting:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"the file asks for {module}.{name}, which is none of the names that tensors and plain data need. "
            "Nothing was run. If you trust whoever made the file, load it with weights_only=False, which lets it run "
            "any code; otherwise ask for a file that holds a state_dict() alone"
        )

    def persistent_load(self, pid: Any) -> Storage:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and isinstance(pid[1], Name)):
            raise pickle.UnpicklingError(f"expected the id of a storage, but the file has {pid!r}")
        return self._storage(pid[2], pid[1], pid[4])

    def _build(self) -> None:
        state, made = self.stack[-1], self.stack[-2]  # type: ignore[attr-defined]
        if not self._trusting:
            _check_state(made, state)
        self.load_build()  # type: ignore[attr-defined]

    dispatch[pickle.BUILD[0]] = _build


def _check_state(made: Any, state: Any) -> None:
    """Refuse instructions that fill anything but what plain data needs."""
    if isinstance(made, OrderedDict) and isinstance(state, dict):
        return
    if isinstance(made, np.dtype) and _is_plain(state):
        return
    if isinstance(made, np.ndarray) and isinstance(state, tuple) and not state[2].hasobject:
        return
    raise pickle.UnpicklingError(
        f"the file fills a {type(made).__name__} in a way that plain data has no use for. Nothing was run. If you "
        "trust whoever made it, load it with weights_only=False"
    )


def _is_plain(state: Any) -> bool:
    """The state of a NumPy dtype that has no fields and no subarray: (version, byte order, None, None, None, …)."""
    return isinstance(state, tuple) and state[1] in ("<", ">", "|", "=") and state[2:5] == (None, None, None)
