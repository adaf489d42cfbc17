"""MKL: not here; NumPy and its BLAS compute."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False
