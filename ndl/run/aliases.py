"""``torch`` means ``ndl``: an import hook that hands on ndl's own modules under PyTorch's names.

``import torch.nn as nn`` gives the module ``ndl.nn`` itself, not a copy of it, so a class is the same class under both
names. The hook stands before all others, so an installed PyTorch is never touched. Nothing is translated and no file
is changed: what the script asks for and ndl lacks is missing, and ``ndl.run.missing`` says so.

What a program can read follows: types and shapes print as ``torch.float32`` and ``torch.Size([2])``, and
``torch.__version__`` is that of the PyTorch whose interface this is (``ndl.run.version``).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from ndl.autograd.naming import go_by
from ndl.run.missing import COMPILED, hint
from ndl.run.version import VERSION

__all__ = ["as_torch", "install"]


class _Loader(importlib.abc.Loader):
    """Puts a module that exists already where the import system looks for the new one."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what it finds here, and leaves the __spec__ of the real module alone.
        sys.modules[module.__name__] = self.module


class TorchFinder(importlib.abc.MetaPathFinder):
    """Finds ``torch.a.b`` at ``ndl.a.b``; raises ModuleNotFoundError for what is not there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        if top in COMPILED:
            raise ModuleNotFoundError(f"{fullname} is not in ndl{hint(fullname)}", name=fullname)
        if top != "torch":
            return None
        ours = f"ndl.{rest}"
        try:
            module = importlib.import_module(ours)
        except ModuleNotFoundError as error:
            if error.name != ours:
                raise  # something that ndl's module needs
            raise ModuleNotFoundError(f"{fullname} is not in ndl{hint(fullname)}", name=fullname) from None
        return importlib.machinery.ModuleSpec(fullname, _Loader(module))


def install() -> Callable[[], None]:
    """Let ``torch`` mean ``ndl`` from now on, in this process; the function that is returned undoes it."""
    hidden = {name: sys.modules.pop(name) for name in _pytorchs()}
    finder = TorchFinder()
    sys.meta_path.insert(0, finder)
    ndl: Any = importlib.import_module("ndl")
    sys.modules["torch"] = ndl
    called, version = go_by("torch"), ndl.__version__
    ndl.__version__ = VERSION

    def undo() -> None:
        go_by(called)
        ndl.__version__ = version
        sys.meta_path.remove(finder)
        for name in _pytorchs():
            del sys.modules[name]
        sys.modules.update(hidden)

    return undo


def _pytorchs() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in ("torch", *COMPILED)]


@contextlib.contextmanager
def as_torch() -> Iterator[ModuleType]:
    """Inside the ``with``, ``import torch`` gives ndl; afterwards it gives what it gave before.

    Modules that were first imported inside keep ndl under the name by which they imported it.
    """
    undo = install()
    try:
        yield sys.modules["torch"]
    finally:
        undo()
