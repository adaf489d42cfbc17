"""PyTorch's switches for the whole process that have nothing to switch here; they remember what they were set to."""

from __future__ import annotations

from typing import Any

from ndl.autograd.device import CPU
from ndl.autograd.device import device as Device
from ndl.autograd.dtypes import set_default_dtype
from ndl.ops.typed_tensors import dtype_of_type

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "use_deterministic_algorithms",
]

_now: dict[str, Any] = {"deterministic": False, "warn_only": False, "precision": "highest", "interop": 1}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing else than remembering it: every algorithm here gives the same result each time."""
    _now["deterministic"], _now["warn_only"] = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was told."""
    return _now["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was told."""
    return _now["warn_only"]


def set_float32_matmul_precision(precision: str) -> None:
    """Nothing else than remembering it: float32 products are computed in float32.

    Raises ValueError for anything but "highest", "high" and "medium".
    """
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"precision must be 'highest', 'high' or 'medium', but got {precision!r}")
    _now["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was told; "highest" at the beginning."""
    return _now["precision"]


def set_default_device(device: Any) -> None:
    """Nothing for the CPU; any other device raises RuntimeError."""
    if device is not None:
        Device(device)


def get_default_device() -> Device:
    """The CPU."""
    return CPU


def set_default_tensor_type(t: Any) -> None:
    """``set_default_dtype`` by the older name of a type: "torch.DoubleTensor" or ``DoubleTensor``."""
    set_default_dtype(dtype_of_type(t))


def set_num_interop_threads(threads: int) -> None:
    """Nothing else than remembering it: operations run one after the other."""
    if not isinstance(threads, int) or threads <= 0:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, but got {threads!r}")
    _now["interop"] = threads


def get_num_interop_threads() -> int:
    """What ``set_num_interop_threads`` was told; 1 at the beginning."""
    return _now["interop"]


def set_flush_denormal(mode: bool) -> bool:
    """False: tiny numbers cannot be flushed to zero from NumPy."""
    return False
