"""The reference: one page for each room (module) of ndl, from its docstrings, with the formulas in them rendered.

Before the pages are read, ``reference/rooms/`` gets a page for every room that has something to say to its reader, and
a list for each floor. Docstrings are plain text, not reStructuredText: paragraphs, lists that begin with "- ",
``code`` between backticks, and indented blocks that are formulas, code or drawings.
"""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from formulas import block
from sphinx.application import Sphinx

FLOORS = {  # in the order in which a reader of the interface meets them
    "nn": "Building blocks",
    "ops": "Tensor operations",
    "autograd": "Tensor and the backward pass",
    "optim": "Optimisers and schedules",
    "utils": "Loaders and files",
    "training": "Training",
    "datasets": "Data sets",
    "distributions": "Probability distributions",
    "verify": "Is it right?",
    "run": "PyTorch scripts",
    "kernels": "Kernels",
}
SPECIAL = re.compile(r"([\\*|_`])")
RULE = re.compile(r"^=+(\s+=+)+$")  # above, in and below a table


def rooms(package: Path) -> list[str]:
    """Dotted names of the modules in a package that have a docstring, faces and programs left out."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent.parent).with_suffix("").parts
        if path.name.startswith("__") or "cases" in parts:
            continue
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))):
            found.append(".".join(parts))
    return found


def write_pages(app: Sphinx) -> None:
    """Write ``reference/rooms/``; a page whose text stays the same is not touched."""
    folder = Path(app.srcdir) / "reference" / "rooms"
    folder.mkdir(parents=True, exist_ok=True)
    ndl = Path(app.srcdir).parent / "ndl"
    pages = {}
    for floor, title in FLOORS.items():
        names = rooms(ndl / floor)
        entries = "\n".join(f"   {name}" for name in names)
        heading = f"{title}: ndl.{floor}"
        pages[floor] = f"{heading}\n{'=' * len(heading)}\n\n.. toctree::\n   :maxdepth: 1\n\n{entries}\n"
        for name in names:
            pages[name] = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n"
    for old in folder.glob("*.rst"):
        if old.stem not in pages and old.name[:-4] not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def to_rst(lines: list[str]) -> list[str]:
    """A docstring's lines as reStructuredText that shows them as they are meant."""
    out: list[str] = []
    i = 0
    while i < len(lines):
        if not lines[i].strip():
            out.append("")
            i += 1
            continue
        if RULE.match(lines[i]):
            j = i + 1 + max((k for k, line in enumerate(lines[i + 1 :]) if RULE.match(line)), default=-1) + 1
            out += _literal(lines[i:j])
        elif lines[i].startswith("    "):
            j = _end(lines, i, lambda line: line.startswith("    ") or not line.strip())
            out += _indented(lines[i:j])
        else:
            j = _end(lines, i, lambda line: line.strip() and not line.startswith("    ") and not RULE.match(line))
            out += _paragraph(lines[i:j])
        i = j
    return out


def _end(lines: list[str], i: int, belongs: Callable[[str], Any]) -> int:
    """Behind the last line of those from i on that belong together."""
    return next((j for j in range(i + 1, len(lines)) if not belongs(lines[j])), len(lines))


def _literal(piece: list[str]) -> list[str]:
    return ["", ".. code-block:: text", "", *("   " + line for line in piece), ""]


def _indented(piece: list[str]) -> list[str]:
    """Formulas as a display (one for each group of lines without a gap), all else as it stands."""
    out: list[str] = []
    group: list[str] = []
    for line in [*piece, ""]:
        if line.strip():
            group.append(line)
        elif group:
            formula = block(group)
            if formula is None:
                out += _literal(group)
            else:
                out += ["", ".. math::", "", "   " + formula, ""]
            group = []
    return out


def _paragraph(piece: list[str]) -> list[str]:
    """Words: every mark that reStructuredText would take for its own is escaped, outside of backticks."""
    out = [""]
    for line in piece:
        new = re.match(r"^(- |\d+\. )", line)
        if new and len(out) > 1 and out[-1] != "":
            out.append("")
        out.append(_marked(line))
    return [*out, ""]


def _marked(line: str) -> str:
    """A line with its ``code`` kept and all else escaped. Code touches no letters: an escaped space stands between."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", line)
    text = ""
    for k, part in enumerate(parts):
        if k % 2 == 0:
            text += SPECIAL.sub(r"\\\1", part)
            continue
        code = part.strip("`").strip()
        before = "\\ " if text and not (text[-1].isspace() or text[-1] in "([{<-/:'\"") else ""
        after = "\\ " if parts[k + 1][:1].isalnum() else ""
        text += f"{before}``{code}``{after}"
    return text


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """autodoc's hook: the docstring of everything that is shown."""
    lines[:] = to_rst(list(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
