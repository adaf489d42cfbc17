"""Which rung is the fastest for which pooling.

1. Averages: ``separable`` always. Sums along rows of pixels run over long stretches of memory.
2. Maxima: ``strided_views`` while it takes fewer comparisons per result, which for windows that do not overlap is
   always; ``separable`` for large windows that overlap, and from MANY_TAPS taps on, where calls begin to count.

The two take any number of axes; the loops are for two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import local
from types import ModuleType

from ndl.kernels.pool2d import separable, strided_views
from ndl.kernels.pool2d.windows import Windows

RUNGS = ("four_loops", "three_loops", "two_loops", "strided_views", "separable")
MANY_TAPS = 25


class _Here(local):
    """What was asked for in this thread. (Not context variables: forward passes run in a context of their own.)"""

    rung: ModuleType | None = None


_here = _Here()


def rung(name: str) -> ModuleType:
    """The module of a rung by its name. Raises ``ValueError`` if there is none of that name."""
    if name not in RUNGS:
        raise ValueError(f"there is no rung {name!r}; there are {', '.join(RUNGS)}")
    return import_module(f"ndl.kernels.pool2d.{name}")


@contextmanager
def use_rung(name: str) -> Iterator[None]:
    """Take this rung for every pooling over two axes in the ``with`` block; ``RUNGS`` has the names.

    Raises ``ValueError`` for an unknown name.
    """
    before, _here.rung = _here.rung, rung(name)
    try:
        yield
    finally:
        _here.rung = before


def choose_max(w: Windows) -> ModuleType:
    """The module whose ``max_forward`` and ``max_backward`` are the fastest for these windows."""
    if _here.rung is not None and len(w.size) == 2:
        return _here.rung
    along, places = 0.0, 1.0  # comparisons per result, one axis after the other; places of z per result
    for n, k, o in zip(w.size, w.kernel, w.output):
        along += k * places
        places *= n / o
    return separable if w.taps >= MANY_TAPS or along < w.taps else strided_views


def choose_avg(w: Windows) -> ModuleType:
    """The module whose ``avg_forward`` and ``avg_backward`` are the fastest for these windows."""
    if _here.rung is not None and len(w.size) == 2:
        return _here.rung
    return separable
