"""Names of a face that are imported when they are first asked for, so that ``import ndl`` stays as light as NumPy.

__getattr__, __dir__, __all__ = attach(__name__, {"optim": "ndl.optim", "load": "ndl.utils.serialization"})
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, where: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The package's ``__getattr__`` and ``__dir__`` (PEP 562), and the names it hands on.

    ``where`` maps a name to its module, or to the module that has it.
    """

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(where[name])
        value = module if where[name] == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *where})

    return __getattr__, __dir__, sorted(where)


def by_room(package: str, rooms: Mapping[str, str]) -> dict[str, str]:
    """``{"linear": "Identity Linear"}`` as ``attach`` wants it: from each name to its room in the package."""
    return {name: f"{package}.{room}" for room, names in rooms.items() for name in names.split()}


class Method:
    """A method that lives in a room above its class, and is imported when it is first asked for."""

    def __init__(self, owner: type, name: str, room: str) -> None:
        self.owner, self.name, self.room = owner, name, room

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        setattr(self.owner, self.name, getattr(importlib.import_module(self.room), self.name))
        return getattr(owner if instance is None else instance, self.name)
