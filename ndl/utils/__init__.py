"""Floor 4: what surrounds training: data and files."""

from ndl.utils import data

__all__ = ["data"]
