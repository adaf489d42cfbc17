"""Floor 4: what surrounds training: data and files."""

from ndl.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
