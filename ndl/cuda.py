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
