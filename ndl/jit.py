"""Compilers: ``compile`` gives back what it got; ``script`` and ``trace`` say why they are not here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["compile", "export", "ignore", "is_scripting", "is_tracing", "script", "trace", "unused"]


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: Any = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:
    """The module or function itself: Python runs it as it is. ``@compile`` and ``@compile(mode=…)`` are allowed, too.

    PyTorch's compiler changes speed, not results, so nothing is lost but speed.
    """
    return model if model is not None else lambda function: function


def script(obj: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: there is no TorchScript here."""
    _refuse("script", obj)


def trace(func: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: there is no TorchScript here."""
    _refuse("trace", func)


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself; the mark means something to ``script`` only. ``@ignore`` and ``@ignore()`` are allowed."""
    return drop if callable(drop) else lambda function: function


def export(fn: Callable) -> Callable:
    """The function itself; the mark means something to ``script`` only."""
    return fn


unused = export


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def _refuse(name: str, what: Any) -> NoReturn:
    raise RuntimeError(
        f"jit.{name} is not here: ndl runs Python as it is written. Use the {type(what).__name__} itself, and save its "
        "state_dict()"
    )
