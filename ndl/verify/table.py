"""The table of all blocks with their measured errors: rows of one block stand together, what fails is red."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from ndl.verify.parity import CONSTANT, ON_THE_WAY, SINGLE
from ndl.verify.proof import Row

COLUMNS: dict[str, tuple[str, ...]] = {
    "y": ("y",),
    "dx": ("dx",),
    "parameters": ("d ",),
    "buffers": ("buffer",),
}
MARKS = {CONSTANT: "¹", SINGLE: "²", ON_THE_WAY: "³"}  # footnotes
SHOWN = 8  # problems of a case that are told
RED, GREEN, BOLD, PLAIN = "\033[31m", "\033[32m", "\033[1m", "\033[0m"


def coloured(stream: TextIO) -> bool:
    """Colour only where somebody looks: on a terminal, unless $NO_COLOR says no; $FORCE_COLOR says yes."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def groups(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each block or operation: ``nn.loss.cross_entropy`` has ``.weight``, ``.large``, ... below it."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(".".join(row.name.split(".")[:3]), []).append(row)
    return found


def total(name: str, rows: Sequence[Row]) -> Row:
    """Several rows as one: all configurations, the largest errors, every problem."""
    sum_ = Row(name, sum(row.configurations for row in rows))
    for row in rows:
        for key, e in row.errors.items():
            sum_.errors[key] = max(sum_.errors.get(key, 0.0), e)
        for key, e in row.theirs.items():
            sum_.theirs[key] = max(sum_.theirs.get(key, 0.0), e)
        if row.numerical is not None:
            sum_.numerical = sum_.numerical or {}
            for key, e in row.numerical.items():
                sum_.numerical[key] = max(sum_.numerical.get(key, 0.0), e)
        sum_.problems += [f"{row.name}: {problem}" for problem in row.problems]
        sum_.notes |= row.notes
    return sum_


def table(rows: Sequence[Row], colour: bool = False, each: bool = False) -> str:
    """The table as text. ``each`` adds a line for every quantity: each input's gradient, each parameter's."""
    blocks = groups(rows)
    width = max([len(name) for name in blocks] + [len(_below(row)) for row in rows] + [len("block or operation")])
    head = f"{'block or operation':{width}}  configurations" + "".join(f"{c:>12}" for c in (*COLUMNS, "numerical"))
    lines = [_paint(head, BOLD, colour), "─" * len(head)]
    for name, members in blocks.items():
        if len(members) == 1 and members[0].name == name:
            lines += _lines(members[0], name, width, colour, each)
            continue
        lines += _lines(total(name, members), name, width, colour, False)
        for row in members:
            lines += _lines(row, _below(row), width, colour, each)
    notes = [note for note in MARKS if any(note in row.notes for row in rows)]
    return "\n".join(lines + ["", *[f"{_mark({note})} {note}" for note in notes]] if notes else lines)


def _mark(notes: Iterable[str]) -> str:
    return "".join(mark for note, mark in MARKS.items() if note in notes)


def summary(rows: Sequence[Row], seconds: float, colour: bool = False) -> str:
    """How much was proven, and what failed."""
    bad = [row for row in rows if not row.ok]
    lines = []
    for row in bad:
        lines.append(_paint(row.name, RED, colour))
        lines += [f"    {problem}" for problem in _once(row.problems)]
    counted = (
        f"{len(groups(rows))} blocks and operations, {len(rows)} cases, {sum(r.configurations for r in rows)} "
        f"configurations in {seconds:.0f} s"
    )
    verdict = f"{len(bad)} of {len(rows)} cases FAIL" if bad else "all proven"
    lines.append(f"{counted}: {_paint(verdict, RED if bad else GREEN, colour)}")
    return "\n".join(lines)


def as_json(rows: Sequence[Row], **about: Any) -> str:
    """The rows with every quantity, for other programs: the tests of tomorrow, the book's pages."""
    cases = [
        {
            "name": row.name,
            "ok": row.ok,
            "configurations": row.configurations,
            "errors": row.errors,
            **({"errors_of_pytorch": row.theirs} if row.theirs else {}),
            "numerical": row.numerical,
            "problems": row.problems,
            **({"notes": sorted(row.notes)} if row.notes else {}),
        }
        for row in rows
    ]
    return json.dumps({**about, "ok": all(row.ok for row in rows), "cases": cases}, indent=1, default=float)


def _once(problems: Sequence[str]) -> list[str]:
    """The same words about several configurations as one line: ``seed 3 and 7 more: …``."""
    seeds: dict[str, list[str]] = {}
    for problem in problems:
        seed, colon, words = problem.partition(": ")
        if not (colon and seed.startswith("seed ")):
            seed, words = "", problem
        seeds.setdefault(words, []).append(seed)
    lines = []
    for words, found in seeds.items():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        lines.append(f"{found[0]}{more}: {words}" if found[0] else words)
    return lines[:SHOWN] + ([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])


def _below(row: Row) -> str:
    """The name of a case in its block's group: what comes after the block's name, indented."""
    parts = row.name.split(".")
    return "  ." + ".".join(parts[3:]) if len(parts) > 3 else "  " + parts[-1]


def _lines(row: Row, name: str, width: int, colour: bool, each: bool) -> list[str]:
    values = [row.worst(*prefixes) for prefixes in COLUMNS.values()] + [row.worst_numerical]
    mark = " " + _mark(row.notes) if row.notes else ""
    line = f"{name:{width}}  {row.configurations:14}" + "".join(f"{_number(v):>12}" for v in values) + mark
    lines = [line if row.ok else _paint(line + "  FAILS", RED, colour)]
    if each:
        for key, e in sorted(row.errors.items()):
            theirs = f"   PyTorch {_number(row.theirs[key])}" if key in row.theirs else ""
            numerical = f"   numerical {_number(row.numerical[key])}" if key in (row.numerical or {}) else ""  # type: ignore[index]
            lines.append(f"{'':{width}}    {key:>28}  {_number(e)}{theirs}{numerical}")
    return lines


def _number(e: float | None) -> str:
    if e is None:
        return "·"
    return "0" if e == 0 else f"{e:.1e}"


def _paint(text: str, colour_code: str, colour: bool) -> str:
    return f"{colour_code}{text}{PLAIN}" if colour else text
