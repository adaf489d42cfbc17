"""Finding the cases: every module of ``ndl.verify.cases`` registers its own when it is imported."""

from __future__ import annotations

import importlib
import pkgutil

from ndl.verify import cases
from ndl.verify.case import CASES, Case


def all_cases(prefix: str = "") -> dict[str, Case]:
    """The registered cases whose name starts with ``prefix`` (``ops.arithmetic``, ``nn.linear.Linear``)."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return {name: c for name, c in sorted(CASES.items()) if (name + ".").startswith(prefix + ".") or not prefix}
