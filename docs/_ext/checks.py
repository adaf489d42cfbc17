"""``{steps-and-checks}``: the table of every page's displayed steps and of the assertions that check them."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tests.docs.cells import Page, count_assertions, read_page


def executed_pages(docs: Path) -> dict[str, Page]:
    """Every page with code cells, by its name."""
    pages = {
        path.relative_to(docs).with_suffix("").as_posix(): read_page(path)
        for path in sorted(docs.rglob("*.md"))
        if "_build" not in path.parts
    }
    return {name: page for name, page in pages.items() if page.cells}


class StepsAndChecks(SphinxDirective):
    """No arguments, no content."""

    def run(self) -> list[nodes.Node]:
        pages = executed_pages(Path(self.env.srcdir))
        rows = []
        for name, page in pages.items():
            checked = sum(bool(page.checks.get(step)) for step in page.steps)
            rows.append((name, len(page.cells), len(page.steps), checked, count_assertions(page)))
            self.env.note_dependency(f"{name}.md")
        rows.append(("together", *(sum(int(row[k]) for row in rows) for k in range(1, 5))))
        return [table(("page", "cells", "steps", "steps checked", "assertions"), rows)]


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> nodes.table:
    """A docutils table."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group)


def _row(values: tuple[Any, ...]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", nodes.Text(str(value)))) for value in values))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("steps-and-checks", StepsAndChecks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
