"""The names that stand in PyTorch's files, and what each of them means here.

A file of PyTorch is a pickle beside raw memory. The pickle names functions and classes of PyTorch, such as
``torch._utils._rebuild_tensor_v2``. Here each of these names is a stand-in, which can be written (as that name) and
called (to do in ndl what the name does in PyTorch). No other name is admitted from a file.
"""

from __future__ import annotations

import codecs
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd import dtypes
from ndl.autograd.device import CPU
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.nn.parameter import Parameter

__all__ = [
    "ADMITTED",
    "DTYPES",
    "PARAMETER",
    "SIZE",
    "STORAGES",
    "TENSOR",
    "TENSOR_OF_DTYPE",
    "DEVICE",
    "NO_BYTES",
    "Name",
    "Storage",
]


class Storage:
    """A piece of memory that tensors look at: its bytes, and the type under which the file lists it."""

    def __init__(self, memory: np.ndarray, dtype: np.dtype | None) -> None:
        self.memory = memory  # (bytes,) uint8
        self.dtype = dtype

    def look(self, dtype: np.dtype, offset: int, shape: tuple, strides: tuple) -> np.ndarray:
        """The array of this shape that begins ``offset`` elements into the memory; strides are in elements."""
        if not all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *strides)) or len(shape) != len(strides):
            raise RuntimeError(f"a tensor of shape {shape}, strides {strides} and offset {offset} is not possible")
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides)) if 0 not in shape else offset - 1
        if (last + 1) * dtype.itemsize > self.memory.size:
            raise RuntimeError(
                f"a tensor of shape {shape}, strides {strides} and offset {offset} needs {(last + 1) * dtype.itemsize} "
                f"bytes, but its storage has {self.memory.size}"
            )
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.ndarray(
            shape, dtype, self.memory.data, offset * dtype.itemsize, [s * dtype.itemsize for s in strides]
        )


class Name:
    """One name of PyTorch's files. Writing it writes the name; calling it calls what it means here."""

    def __init__(self, module: str, name: str, meaning: Callable | None = None) -> None:
        self.module = module
        self.name = name
        self.meaning = meaning

    def __call__(self, *args: Any) -> Any:
        if self.meaning is None:
            raise RuntimeError(f"{self.module}.{self.name} cannot be called")
        return self.meaning(*args)


def _tensor(storage: Storage, offset: int, size: Any, stride: Any, requires_grad: bool, *_: Any) -> Tensor:
    assert storage.dtype is not None
    return _leaf(storage.look(storage.dtype, offset, tuple(size), tuple(stride)), requires_grad)


def _tensor_of_dtype(
    storage: Storage, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    return _leaf(storage.look(dtypes.as_numpy_dtype(dtype), offset, tuple(size), tuple(stride)), requires_grad)


def _leaf(array: np.ndarray, requires_grad: bool) -> Tensor:
    made = Tensor._wrap(array)
    return made.requires_grad_() if requires_grad else made


def _parameter(data: Tensor, requires_grad: bool, *_: Any) -> Parameter:
    return Parameter(data, bool(requires_grad))


def _of_type(function: Callable, kind: Any, args: tuple, state: Any) -> Any:
    """PyTorch wraps tensors with attributes of their own like this; the attributes are left out."""
    return function(*args)


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise RuntimeError(f"a pickle writes bytes as latin1 text, but this one says {encoding!r}")
    return codecs.latin_1_encode(text)[0]


def _scalar(dtype: np.dtype, raw: bytes) -> Any:
    if dtype.hasobject:
        raise RuntimeError("a NumPy scalar that holds an object is not admitted")
    return np.frombuffer(raw, dtype, 1)[0]


def _empty_array(kind: Any, shape: tuple, code: Any) -> np.ndarray:
    return np.empty(0)


def _numpy_dtype(code: Any, align: Any = False, copy: Any = True) -> np.dtype:
    made = np.dtype(str(code), copy=True)
    if made.hasobject or made.names is not None:
        raise RuntimeError(f"a NumPy array of type {code!r} is not admitted: it may hold anything")
    return made


TENSOR = Name("torch._utils", "_rebuild_tensor_v2", _tensor)
TENSOR_OF_DTYPE = Name("torch._utils", "_rebuild_tensor_v3", _tensor_of_dtype)
PARAMETER = Name("torch._utils", "_rebuild_parameter", _parameter)
NO_BYTES = Name("_codecs", "encode", _latin1)
SIZE = Name("torch", "Size", Size)
DEVICE = Name("torch", "device", lambda *_: CPU)  # wherever it was, it is on the CPU now

_STORAGE_TYPES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
    "ComplexFloatStorage": np.complex64,
    "ComplexDoubleStorage": np.complex128,
}
# The type of a storage's elements -> its name. Types without a name of their own are stored as bytes (None).
STORAGES: dict[np.dtype | None, Name] = {np.dtype(t): Name("torch", name) for name, t in _STORAGE_TYPES.items()}
STORAGES[None] = Name("torch.storage", "UntypedStorage")
BFLOAT16 = Name("torch", "BFloat16Storage")

DTYPES: dict[dtypes.dtype, Name] = {d: Name("torch", d.name) for d in dtypes._BY_NUMPY.values()}

_NAMES = (
    TENSOR,
    TENSOR_OF_DTYPE,
    PARAMETER,
    Name("torch._utils", "_rebuild_parameter_with_state", _parameter),
    Name("torch._tensor", "_rebuild_from_type_v2", _of_type),
    Name("torch", "Tensor"),
    Name("torch.nn.parameter", "Parameter"),
    SIZE,
    DEVICE,
    *STORAGES.values(),
    BFLOAT16,
    NO_BYTES,
    Name("numpy", "ndarray"),
    Name("numpy", "dtype", _numpy_dtype),
    *(
        Name(f"numpy.{core}.multiarray", name, meaning)  # NumPy 2 moved the module
        for core in ("core", "_core")
        for name, meaning in (("_reconstruct", _empty_array), ("scalar", _scalar))
    ),
)
_PYTHON = (bytes, set, frozenset, complex, bytearray, slice, range)

# (module, name) -> what it becomes: everything that may come out of a file.
ADMITTED: dict[tuple[str, str], Any] = {
    **{(n.module, n.name): n for n in _NAMES},
    **{(n.module, n.name): d for d, n in DTYPES.items()},
    **{(module, t.__name__): t for t in _PYTHON for module in ("builtins", "__builtin__")},
    ("__builtin__", "xrange"): range,
    ("torch", "bfloat16"): dtypes.float32,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
}
