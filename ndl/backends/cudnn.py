"""cuDNN: not here. Programs set ``benchmark`` and ``deterministic``, which changes nothing: results always repeat."""

from __future__ import annotations

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False."""
    return False


def version() -> None:
    """None."""
