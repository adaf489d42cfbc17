"""Random differential testing: python -m ndl.verify.fuzz [--seconds S | --cases N] [--seed S] [--only PATTERN ...]

Every case of every operation and block, with values that are not kind (``ndl.verify.nasty``): ties, zeros, infinities,
nan, huge and tiny numbers, empty axes, expanded and strided memory, and some inputs that have no gradient. Values,
gradients and buffers must be PyTorch's, with the same infinities and nan; where one library raises, so must the other,
and the same type. Differences are printed with the command that shows them again. Those that stay are listed in
``accepted_differences.toml``, each with its reason, and a program whose every difference is there is only counted.
"""

from __future__ import annotations

import argparse
import copy
import fnmatch
import importlib.util
import itertools
import re
import sys
import time
import tomllib
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ndl.verify.case import Case, Program
from ndl.verify.command import NO_TORCH, chosen
from ndl.verify.nasty import NastyDraw, crashes_pytorch
from ndl.verify.parity import run
from ndl.verify.registry import all_cases

ACCEPTED = Path(__file__).with_name("accepted_differences.toml")
TOLERANCE = 1e-8  # of the largest element: huge and tiny values cancel
ROUNDING = 1e-12  # of the largest terms
LARGE, TINY = 1e3, 1e-6  # magnitudes that are told beside a difference


@dataclass
class Difference:
    """What the two libraries do not agree about: ``what`` it is, and what was ``given``."""

    case: str
    seed: int
    what: str
    given: str

    def __str__(self) -> str:
        again = f"python -m ndl.verify.fuzz --only '={self.case}' --seed {self.seed} --cases 1"
        return f"{self.case}, seed {self.seed}: {self.what} [{self.given}]\n    {again}"


@dataclass
class Tally:
    """Programs: equal, refused by both, with accepted differences only, with others; and draws that are no program."""

    equal: int = 0
    refused: int = 0
    accepted: int = 0
    different: int = 0
    impossible: int = 0
    known: list[dict[str, str]] = field(default_factory=list)  # the accepted differences

    def accepts(self, difference: Difference) -> bool:
        return any(
            any(fnmatch.fnmatch(difference.case, pattern) for pattern in k["case"].split())
            and re.search(k["text"], difference.what)
            and re.search(k.get("given", ""), difference.given)
            for k in self.known
        )


def accepted() -> list[dict[str, str]]:
    """The differences that stay: ``case`` (patterns), ``text``, what must be ``given`` for it, and ``reason``."""
    return tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))["difference"]


def trial(case: Case, seed: int, tally: Tally) -> list[Difference]:
    """One nasty configuration in both libraries: all that differs."""
    import torch

    import ndl

    draw = NastyDraw.seeded(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            program = draw.partly_constant(case.make(draw))
            if not program.parity or crashes_pytorch(case.name, program):
                raise ValueError("there is nothing to compare with")
        except Exception:
            tally.impossible += 1
            return []
        ours, theirs = _attempt(ndl, program), _attempt(torch, program)
    found = [Difference(case.name, seed, what, given(program)) for what in _differences(ours, theirs, program)]
    if not found:
        tally.equal += not isinstance(ours, Exception)
        tally.refused += isinstance(ours, Exception)
    return found


def _differences(ours: Any, theirs: Any, program: Program) -> Iterator[str]:
    """Between two results of ``run``, or exceptions."""
    if isinstance(ours, Exception) and isinstance(theirs, Exception):
        if not isinstance(ours, type(theirs)):
            yield f"ndl raises {_line(ours)} instead of {_line(theirs)}"
        return
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        which, error = ("ndl", ours) if isinstance(ours, Exception) else ("PyTorch", theirs)
        yield f"only {which} raises {_line(error)}"
        return
    for name in [*theirs, *(ours.keys() - theirs.keys())]:
        if name not in ours or name not in theirs:
            yield f"only {'PyTorch' if name in theirs else 'ndl'} gives {name}"
            continue
        # Terms as large as the inputs, and in gradients as large as dL/dy, may cancel: what is left is their rounding.
        terms = max(0.0 if name.startswith("y") else 1.0, _largest(program))
        for difference in differ(ours[name], theirs[name], max(TOLERANCE, program.tolerance), ROUNDING * terms):
            yield f"{name}: {difference}"


def differ(a: np.ndarray, b: np.ndarray, tolerance: float, absolute: float = 0.0) -> list[str]:
    """How a differs from b: in type, shape, where it is nan or infinite, and elsewhere by more than the tolerances."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return [f"{a.dtype} {a.shape} instead of {b.dtype} {b.shape}"]
    if a.dtype.kind != "f":
        return [] if np.array_equal(a, b) else [f"{int((a != b).sum())} of {a.size} elements differ"]
    odd = ~(np.isfinite(a) & np.isfinite(b))
    unlike = odd & ~((a == b) | (np.isnan(a) & np.isnan(b)))
    found = []
    pairs: dict[tuple[str, str], tuple] = {}
    for where in map(tuple, np.argwhere(unlike)):
        pairs.setdefault((_kind(a[where]), _kind(b[where])), where)
    for where in pairs.values():
        found.append(f"{a[where]} instead of {b[where]} at {[int(i) for i in where]}")
    a, b = np.where(odd, 0, a), np.where(odd, 0, b)
    error = np.abs(a - b).max(initial=0.0)
    scale = np.abs(b).max(initial=0.0)
    if error > max(tolerance * scale, absolute, 1e-300):
        found.append(f"off by {error:.1e} where the largest is {scale:.1e}")
    return found


def _kind(x: float) -> str:
    return "0" if x == 0 else "finite" if np.isfinite(x) else str(x)


def fuzz(
    names: Sequence[str], seed: int, cases: int | None, seconds: float | None, tally: Tally
) -> Iterator[Difference]:
    """Differences, as they are found, until so many cases or seconds are over."""
    registered = all_cases()
    end = None if seconds is None else time.monotonic() + seconds
    k = 0
    while (cases is None or k < cases) and (end is None or time.monotonic() < end):
        found = trial(registered[names[(seed + k) % len(names)]], seed + k, tally)
        k += 1
        new = [difference for difference in found if not tally.accepts(difference)]
        tally.accepted += bool(found) and not new
        tally.different += bool(new)
        yield from new


def _attempt(T: Any, program: Program) -> Any:
    try:
        return run(T, copy.copy(program))
    except Exception as error:
        return error


def _line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0][:160]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "verify" not in f.filename]
    place = f" ({frames[-1].filename.split('/')[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _largest(program: Program) -> float:
    """The largest finite number among the inputs."""
    floating = [np.abs(x[np.isfinite(x)]) for x in program.inputs if x.dtype.kind == "f"]
    return max((float(x.max(initial=0.0)) for x in floating), default=0.0)


def given(program: Program) -> str:
    """The inputs' shapes, and what is odd about any of them: ``(2, 3), (0,) with infinite, empty``."""
    floating = [x for x in program.inputs if x.dtype.kind == "f"]
    finite = [np.abs(x[np.isfinite(x)]) for x in floating]
    odd = {
        "infinite": any(np.isinf(x).any() for x in floating),
        "nan": any(np.isnan(x).any() for x in floating),
        "large": any((x > LARGE).any() for x in finite),
        "tiny": any(((x > 0) & (x < TINY)).any() for x in finite),
        "empty": any(x.size == 0 for x in program.inputs),
        "equal": any(np.unique(x).size < x.size for x in program.inputs),
        "alike": any(np.array_equal(x, y) for x, y in itertools.combinations(floating, 2)),
    }
    names = [name for name, is_so in odd.items() if is_so]
    return ", ".join(str(x.shape) for x in program.inputs) + (f" with {', '.join(names)}" if names else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. 0: no difference, 1: some, 2: nothing could be done."""
    parser = argparse.ArgumentParser(
        prog="python -m ndl.verify.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, help="how long (10, unless --cases says how many)")
    parser.add_argument("--cases", type=int, help="how many")
    parser.add_argument("--seed", type=int, help="of the first; the next have the next numbers (default: the clock)")
    parser.add_argument(
        "--only", nargs="+", metavar="PATTERN", help="as in python -m ndl.verify; =name is that case alone"
    )
    options = parser.parse_args(argv)
    if importlib.util.find_spec("torch") is None:
        print(NO_TORCH.split(":")[0] + ".")
        return 2
    names = [p[1:] for p in options.only or [] if p.startswith("=") and p[1:] in all_cases()]
    patterns = [p for p in options.only or [] if not p.startswith("=")]
    names += chosen(patterns) if patterns or not options.only else []
    if not names:
        print(f"no case matches {' '.join(options.only)}")
        return 2
    seed = int(time.time()) % 2**31 if options.seed is None else options.seed
    seconds = 10.0 if options.seconds is None and options.cases is None else options.seconds
    print(f"seed {seed}", flush=True)
    tally = Tally(known=accepted())
    for difference in fuzz(names, seed, options.cases, seconds, tally):
        print(difference, flush=True)
    tried = tally.equal + tally.refused + tally.accepted + tally.different
    print(
        f"{tried} cases: {tally.equal} equal, {tally.refused} refused by both libraries, {tally.accepted} differ as "
        f"{ACCEPTED.name} explains, {tally.different} different ({tally.impossible} draws were no program)"
    )
    return 1 if tally.different else 0


if __name__ == "__main__":
    sys.exit(main())
