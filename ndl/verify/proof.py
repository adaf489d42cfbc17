"""Proving a case: several configurations of it through the protocol, and what that found as one row of the table.

    y, dx, parameters, buffers    against PyTorch (``ndl.verify.parity``), ≤ 1e-10
    numerical                     against central differences (``ndl.verify.numeric``), ≤ 1e-6

In float32 the measure is another one. With the float64 result of the same rounded inputs as the truth t,

    err32(ours) ≤ 4 · max(err32(PyTorch), 2⁻²⁴)            err32(a) = max |a − t| / max(1, max |t|)

for each quantity, where err32 is the mean over all configurations, since a single one may round luckily in one library,
and 2⁻²⁴ the error of rounding t once, or the larger terms that cancel in it. The largest errors of both may be 16 times
apart. Convolutions may lose more where Winograd's transforms make them fast: they keep these bounds with Winograd
switched off, and 1e-4 with it. Where a program computes in float16 whatever it is given, what the case says about that
takes the place of 2⁻²⁴; where it draws other random numbers in float64 than in float32, PyTorch's float32 result takes
the place of t.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ndl.kernels.conv2d.choose import winograd_allowed
from ndl.verify.case import Case, Draw, Program
from ndl.verify.numeric import TOLERANCE, numerical_errors
from ndl.verify.parity import compare, relative_error, run

WINOGRAD = 1e-4
ROUNDING = 2.0**-24
SINGLE_TOLERANCE = 1e-6  # a case that allows more than this computes in float16
DRAWN_OTHERWISE = 1e-2  # no rounding of float32's, but other random numbers
TIMES = 4.0  # our mean float32 error may be this many times PyTorch's,
TIMES_LARGEST = 16.0  # and our largest this many times PyTorch's largest


@dataclass
class Row:
    """What proving one case found.

    Attributes
        errors: the largest relative error by quantity: ``y0``, ``dx1``, ``d weight``, ``buffer running_mean``. In
            float32: our error against the truth.
        theirs: float32 only: PyTorch's error against the truth.
        sums: float32 only: the sums over the configurations of our errors and of PyTorch's.
        rounding: float32 only: the error of rounding once, more where the programs compute in float16, or large terms
            cancel.
        numerical: the largest error of the numerical check by input and parameter; None where it was not done.
        problems: what is wrong, in words. A row without problems is proven.
        notes: why PyTorch has fewer digits here than the protocol's, if it has.
    """

    name: str
    configurations: int = 0
    errors: dict[str, float] = field(default_factory=dict)
    theirs: dict[str, float] = field(default_factory=dict)
    sums: dict[str, tuple[float, float]] = field(default_factory=dict)
    rounding: float = ROUNDING
    numerical: dict[str, float] | None = None
    problems: list[str] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        return not self.problems

    def worst(self, *prefixes: str) -> float | None:
        """The largest error of the quantities whose name starts with one of ``prefixes``."""
        found = [e for name, e in self.errors.items() if name.startswith(prefixes)]
        return max(found) if found else None

    @property
    def worst_numerical(self) -> float | None:
        return max(self.numerical.values()) if self.numerical else None


Errors = dict[str, float]


def prove(case: Case, configurations: int, seed: int = 0, parity: bool = True, float32: bool = False) -> Row:
    """Draw configurations of a case and prove each; ``parity`` and ``float32`` need PyTorch.

    The numerical check is done for the first three configurations that have one (all, where nothing else is), since
    it costs two forward passes for every element.
    """
    row = Row(case.name)
    checked = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about strided memory and the like
        for k in range(seed, seed + configurations):
            try:
                program = case.make(Draw.seeded(k))
                row.configurations += 1
                if float32:
                    if not program.parity:
                        continue
                    _float32(row, program, k)
                    continue
                if parity:
                    _parity(row, program, k)
                if program.numeric and (checked < 3 or not parity):
                    checked += 1
                    _numerical(row, program, k)
            except Exception as error:  # whatever a block does wrong is a row of the table, not its end
                row.problems.append(f"seed {k}: {type(error).__name__}: {error}")
    for name, errors in row.sums.items():
        a, b = errors[0] / row.configurations, errors[1] / row.configurations
        largest, theirs = row.errors[name], row.theirs[name]
        if not (a <= TIMES * max(b, row.rounding) and largest <= TIMES_LARGEST * max(theirs, row.rounding)):
            row.problems.append(
                f"{name} is off by {a:.1e} on average and {largest:.1e} at most in float32, PyTorch by {b:.1e} and "
                f"{theirs:.1e}"
            )
    return row


def _parity(row: Row, program: Program, seed: int) -> None:
    report = compare(program)
    row.problems += [f"seed {seed}: {problem}" for problem in report.problems]
    row.notes |= report.notes
    for name, e in sorted(report.errors.items()):
        if not e <= program.allowed:
            row.problems.append(f"seed {seed}: {name} is off by {e:.1e}, allowed {program.allowed:.0e}")
    _largest(row.errors, report.errors)


def _numerical(row: Row, program: Program, seed: int) -> None:
    errors = numerical_errors(program)
    for name, e in errors.items():
        if not e <= TOLERANCE:
            row.problems.append(f"seed {seed}: {name} is off by {e:.1e} from central differences")
    row.numerical = row.numerical or {}
    _largest(row.numerical, errors)


def _float32(row: Row, program: Program, seed: int) -> None:
    """Against the truth, for one configuration; what is not a float, or is decided otherwise, against PyTorch."""
    import torch

    import ndl

    theirs = run(torch, program, np.float32)
    truth = run(torch, program, np.float64, np.float32)
    half = program.tolerance > SINGLE_TOLERANCE
    row.rounding = max(row.rounding, ROUNDING * program.terms, program.tolerance if half else 0.0)

    def ours() -> dict[str, Any]:
        return run(ndl, program, np.float32)

    found = ours()
    if row.name.startswith("nn.conv"):
        fast = found
        with winograd_allowed(False):
            found = ours()
        for name, t in truth.items():
            if name in fast and not relative_error(fast[name], t) <= WINOGRAD:
                row.problems.append(f"seed {seed}: {name} is off by {relative_error(fast[name], t):.1e} with Winograd")
    for name, t in truth.items():
        if name not in found or found[name].dtype != theirs[name].dtype:
            what = found[name].dtype if name in found else "missing"
            row.problems.append(f"seed {seed}: {name} is {what}, PyTorch's {theirs[name].dtype}")
            continue
        b = relative_error(theirs[name], t)
        if not np.isfinite(b) or (program.seed and b > DRAWN_OTHERWISE):
            t, b = theirs[name], 0.0  # decided otherwise than in float64: then as PyTorch decided
        a = relative_error(found[name], t)
        _largest(row.errors, {name: a})
        _largest(row.theirs, {name: b})
        before = row.sums.get(name, (0.0, 0.0))
        row.sums[name] = (before[0] + a, before[1] + b)


def _largest(into: Errors, errors: Errors) -> None:
    for name, e in errors.items():
        into[name] = max(into.get(name, 0.0), e)
