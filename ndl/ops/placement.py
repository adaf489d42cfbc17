"""Where a tensor lies: in the memory of the CPU, densely. Methods that would move it elsewhere say so."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ndl.autograd.naming import full_name
from ndl.autograd.tensor import Tensor

__all__ = ["layout", "strided"]


class layout:
    """How the elements are stored, as ``torch.layout``; there is one, ``strided``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return full_name(self._name)


strided = layout("strided")


class UntypedStorage:
    """The memory that a tensor and its views share, as bytes: its size and its address."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def nbytes(self) -> int:
        return self._array.nbytes

    size = __len__ = nbytes

    def data_ptr(self) -> int:
        return self._array.__array_interface__["data"][0]


def untyped_storage(input: Tensor) -> UntypedStorage:
    """The memory of the tensor that this one is a view of, or its own."""
    return UntypedStorage((input if input._base is None else input._base)._array)


def layout_of(input: Tensor) -> layout:
    """``strided``."""
    return strided


def cuda(input: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: there is no CUDA device."""
    raise RuntimeError(
        "there is no CUDA device: ndl computes on the CPU. Write .to(device) with "
        "device = 'cuda' if cuda.is_available() else 'cpu', or leave the call out"
    )


def bfloat16(input: Tensor) -> NoReturn:
    """Raises TypeError: NumPy has no bfloat16."""
    raise TypeError("bfloat16 is not here, since NumPy does not have it; use float32, or float16 to save memory")


def pin_memory(input: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: memory need not be pinned for a device that is not there."""
    return input


def share_memory_(input: Tensor) -> Tensor:
    """The tensor itself: threads share all memory."""
    return input


def to_dense(input: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, it is dense, or in another type."""
    return input if dtype is None else input.to(dtype)


def never(input: Tensor) -> bool:
    """False."""
    return False
