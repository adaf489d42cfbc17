"""``ndl.accelerator``: there is none, so programs that ask take the CPU."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False: ndl computes on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None."""


def synchronize(device: Any = None) -> None:
    """Nothing: every operation is finished when its call returns."""
