"""Processes that the script starts with ``multiprocessing``: ``torch`` means ``ndl`` there, too.

A forked process has everything. A spawned one is a new Python that first runs the script again, as ``__mp_main__``, to
have its functions and classes. ``follow`` names ``ndl.run.child`` to it instead, which puts ``torch`` right before it
runs the script.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["follow"]


def follow(as_module: bool, target: str) -> None:
    """Let processes that are spawned from now on run ``target`` as this one does."""
    spawn: Any = importlib.import_module("multiprocessing.spawn")
    before = spawn.get_preparation_data

    def with_ndl(name: str) -> dict[str, Any]:
        data = before(name)
        data.pop("init_main_from_path", None)
        data["init_main_from_name"] = "ndl.run.child"
        # runpy lends the first place to the module that it runs; child.py takes the next two out again.
        data["sys_argv"] = [data["sys_argv"][0], "-m" if as_module else "", target, *data["sys_argv"]]
        return data

    spawn.get_preparation_data = with_ndl
