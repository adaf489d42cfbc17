"""Recorded trials: programs, the numbers that are right, and which functions they run.

A trial is one configuration of a case: once as it is, once for its second derivatives, once in float32, once with all
work cut into small pieces as only large arrays are (``ndl.verify.pieces``); and two-dimensional convolutions and poolings
on every rung of their ladders, in small pieces, too. What is right
was computed by PyTorch, where it is installed and the case is one that both can run; else by ndl itself before a
mistake was made in it, which the numerical check vouches for.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ndl.kernels.conv2d import choose as conv2d
from ndl.kernels.pool2d import choose as pool2d
from ndl.kernels.threads import get_num_threads, set_num_threads
from ndl.verify.case import Case, Draw, Program
from ndl.verify.nasty import NastyDraw, crashes_pytorch
from ndl.verify.parity import relative_error, run
from ndl.verify.pieces import small_pieces

KINDS: tuple[str, ...] = ("first", "second", "float32", "pieces")
FLOAT32 = 1e-4  # float32 trials look for mistakes in the paths that only float32 takes, not for rounding


@dataclass
class Trial:
    """One run whose results are known. ``kind``: one of KINDS, or ``conv2d rung tiled``."""

    case: str
    kind: str
    program: Program
    tolerance: float
    expected: dict[str, np.ndarray] = field(default_factory=dict)
    reached: frozenset[tuple[str, str]] = frozenset()  # (file, qualified name) of every function of ndl that ran

    def run(self, T: Any) -> dict[str, np.ndarray]:
        dtype = np.float32 if self.kind == "float32" else np.float64
        with self._way():
            return run(T, self.program, dtype, second=self.kind == "second")

    def _way(self) -> ExitStack:
        """The kernels that this kind of trial wants."""
        stack = ExitStack()
        what, _, rung = self.kind.partition(" rung ")
        if rung or self.kind == "pieces":
            stack.enter_context(small_pieces())
        if rung:
            stack.enter_context((conv2d if what == "conv2d" else pool2d).use_rung(rung))
        return stack

    def difference(self) -> str | None:
        """What ndl computes otherwise than expected, now; None if nothing."""
        import ndl

        found = self.run(ndl)
        if found.keys() != self.expected.keys():
            return f"{sorted(found)} instead of {sorted(self.expected)}"
        for name, expected in self.expected.items():
            if found[name].dtype != expected.dtype:
                return f"{name} is {found[name].dtype}"
            e = relative_error(found[name], expected)
            if not e <= self.tolerance:
                return f"{name} is off by {e:.1e}"
        return None


def record(cases: Iterable[Case], configurations: int, seed: int = 0, torch: Any = None) -> Iterator[Trial]:
    """The trials of these cases: ``configurations`` usual ones of each, half as many more, and as many nasty ones.

    Under a small seed every case begins with the same draws: not one of the first twelve seeds draws one dimension
    where there may be none to four. So the others have seeds that only their case has.

    What PyTorch and ndl do not agree about is left out; that is what ``ndl.verify`` and ``ndl.verify.fuzz`` report.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for c in cases:
            for k in range(seed, seed + configurations):
                yield from _trials(c, Draw.seeded(k), KINDS, torch)
            for k in range(seed, seed + configurations // 2):
                yield from _trials(c, Draw.seeded([k, *c.name.encode()]), KINDS, torch)
            for k in range(seed, seed + configurations // 2):
                yield from _trials(c, NastyDraw.seeded(k), ("first",), torch)


def _trials(c: Case, draw: Draw, kinds: tuple[str, ...], torch: Any) -> Iterator[Trial]:
    import ndl

    try:
        program = c.make(draw)
        if isinstance(draw, NastyDraw):
            program = draw.partly_constant(program)
        if crashes_pytorch(c.name, program):
            return
    except Exception:  # nasty sizes that the case cannot be made of
        return
    if "first" in kinds and len(kinds) > 1:
        kinds += tuple(f"conv2d rung {name}" for name in conv2d.RUNGS if "conv2d" in c.name.lower())
        kinds += tuple(f"pool2d rung {name}" for name in pool2d.RUNGS if "pool2d" in c.name.lower())
    for kind in kinds:
        if kind == "second" and not program.second:
            continue
        tolerance = max(FLOAT32, program.tolerance) if kind == "float32" else max(program.tolerance, 1e-9)
        trial = Trial(c.name, kind, program, tolerance)
        try:
            found, trial.reached = traced(lambda trial=trial: trial.run(ndl))  # type: ignore[misc]
        except Exception:
            continue
        trial.expected = found
        if kind == "first" and torch is not None and program.parity:
            try:
                trial.expected = trial.run(torch)
            except Exception:
                continue
        try:
            if found and trial.difference() is None:
                yield trial
        except Exception:
            continue


def traced(f: Callable[[], Any]) -> tuple[Any, frozenset[tuple[str, str]]]:
    """f() and the functions of ndl that ran on the way, in this thread."""
    reached = set()

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            code = frame.f_code
            if "ndl" in code.co_filename:
                reached.add((code.co_filename, code.co_qualname))

    before, threads = sys.getprofile(), get_num_threads()
    set_num_threads(1)  # the profile sees this thread only
    sys.setprofile(profile)
    try:
        result = f()
    finally:
        sys.setprofile(before)
        set_num_threads(threads)
    return result, frozenset(reached)
