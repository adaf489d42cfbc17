"""Names of a face that are imported when they are first asked for, so that ``import ndl`` stays as light as NumPy.

__getattr__ = attach(__name__, {"optim": "ndl.optim", "load": "ndl.utils.serialization"})
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """The package's ``__getattr__`` (PEP 562): ``where`` maps a name to its module, or to the module that has it."""

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(where[name])
        value = module if where[name] == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
