"""A PyTorch script, run with ``torch`` meaning ``ndl``: ``python -m ndl.run script.py [its options]``.

In a program or a notebook, ``with ndl.run.as_torch():`` does the same for the imports inside it.
"""

from ndl.run.aliases import as_torch
from ndl.run.script import main

__all__ = ["as_torch", "main"]
