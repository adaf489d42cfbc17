"""Is every gradient right? ``check`` for your own layers; ``python -m ndl.verify`` for everything in the house."""

from ndl.verify.checking import CheckReport, check

__all__ = ["CheckReport", "check"]
