"""A page's rows of the proof table, as ``docs/measure.py`` wrote them: nothing here is measured, and nothing is retyped.

docs/measured/parity.json has a row for every block and operation, docs/measured/weights.json one for everything that
makes weights (initial values) and for everything that changes them (optimisers, schedules).
"""

import json
from html import escape
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).resolve().parent.parent / "measured"


class Table:
    """What a page shows as a table, and a console as text."""

    def __init__(self, head: list[str], rows: list[list[str]], source: str) -> None:
        filled = [k for k in range(len(head)) if any(row[k] for row in rows)]  # a block without buffers: no such column
        self.head = [head[k] for k in filled]
        self.rows = [[row[k] or "–" for k in filled] for row in rows]
        self.source = source

    def _repr_html_(self) -> str:
        lines = [self._line("th", self.head), *(self._line("td", row) for row in self.rows)]
        table = f'<table class="docutils align-default">{"".join(lines)}</table>'
        told = "".join(f"<p>{escape(line)}</p>" for line in self.source.splitlines())
        return f'<div class="table-wrapper measured">{table if self.rows else ""}{told}</div>'

    @staticmethod
    def _line(kind: str, values: list[str]) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(value)}</{kind}>" for value in values) + "</tr>"

    def __repr__(self) -> str:
        wide = [max(map(len, column)) for column in zip(self.head, *self.rows)]
        lines = ["  ".join(f"{v:{w}}" for v, w in zip(row, wide)) for row in (self.head, *self.rows)]
        return "\n".join([*lines, self.source])


def _read(file: str) -> tuple[dict[str, Any], str]:
    content = json.loads((MEASURED / file).read_text(encoding="utf-8"))
    about = content["about"]
    return content, f"{about['command']}; NumPy {about['numpy']}, {about['machine']}"


def _chosen(rows: list[list[Any]], names: tuple[str, ...], separator: str) -> list[list[Any]]:
    """The rows that bear one of the names, or stand below it: ``nn.conv`` has ``nn.conv.Conv2d``. No name: all rows."""
    found = [] if names else rows
    for name in names:
        below = [row for row in rows if row[0] == name or row[0].startswith(name + separator)]
        if not below:
            raise KeyError(f"no row of the proof table is called {name!r}")
        found += below
    return found


def rows(*names: str) -> Table:
    """Rows of blocks and operations: largest relative errors over all configurations."""
    content, source = _read("parity.json")
    chosen = _chosen(content["rows"], names, ".")
    unproven = [row[0] for row in chosen if row[2] != "proven"]
    assert not unproven, f"{unproven} differ from PyTorch"
    marks, notes = content.get("marks", {}), content.get("notes", {})
    shown = [
        [f"{row[0]} {marks.get(row[0], '')}".strip(), str(row[1]), *(_number(e) for e in row[3:])] for row in chosen
    ]
    used = {mark for row in chosen for mark in marks.get(row[0], "")}
    source = "\n".join([*(f"{mark} {notes[mark]}" for mark in sorted(used)), source])
    return Table(["block", "configurations", *content["head"][3:-1], "differences"], shown, source)


def steps(*names: str) -> Table:
    """Rows of optimisers and schedulers: how far the weights are from PyTorch's after N steps."""
    content, source = _read("weights.json")
    chosen = _chosen(content["steps"]["rows"], names, " ")
    unproven = [row[0] for row in chosen if row[-1] != "proven"]
    assert not unproven, f"{unproven} differ from PyTorch"
    shown = [[name, options, _number(weights), _number(rates)] for name, options, weights, rates, _ in chosen]
    return Table(content["steps"]["head"][:-1], shown, source)


def initial_values(*names: str) -> Table:
    """Rows of initial values: how far they are from PyTorch's under the same seed."""
    content, source = _read("weights.json")
    chosen = _chosen(content["initial"]["rows"], names, ".")
    unproven = [row[0] for row in chosen if row[-1] != "proven"]
    assert not unproven, f"{unproven} differ from PyTorch"
    return Table(content["initial"]["head"][:-1], [[row[0], *map(_number, row[1:-1])] for row in chosen], source)


def _number(error: str) -> str:
    """2e-16; 0 where not a digit differs; nothing where there was nothing to compare."""
    return error and ("0" if float(error) == 0 else error)
