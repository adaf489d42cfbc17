"""The name under which the library prints what is its own: ``ndl.Size([2])``, or ``torch.Size([2])`` in a program that
knows it as torch (``ndl.run``), whose printed lines and comparisons of names stay as they were written."""

from __future__ import annotations

__all__ = ["full_name", "go_by"]

_name = "ndl"


def full_name(name: str) -> str:
    """``name`` with the library's in front: ``ndl.float32``."""
    return f"{_name}.{name}"


def go_by(name: str) -> str:
    """Print this name from now on; the one printed so far."""
    global _name
    before, _name = _name, name
    return before
