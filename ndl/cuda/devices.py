"""What programs ask about accelerators before they choose a device: there are none, so they choose the CPU."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False: ndl computes on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there are no devices to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there are no devices to seed."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Nothing: every operation is finished when its call returns."""


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: NumPy has no bfloat16."""
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialise."""
    return False


def memory_allocated(device: Any = None) -> int:
    """0 bytes."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def get_rng_state_all() -> list:
    """[]: no device has a stream of random numbers."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Nothing: there are no devices."""


def current_device() -> int:
    """Raises RuntimeError: there is none."""
    raise RuntimeError("there is no CUDA device: ndl computes on the CPU; ask cuda.is_available() first")


def get_device_name(device: Any = None) -> str:
    """Raises RuntimeError: there is none."""
    raise RuntimeError("there is no CUDA device to name: ndl computes on the CPU; ask cuda.is_available() first")
