"""The book cannot drift from the code: every page runs, and every displayed step has a check that ran."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest

import ndl
from tests.docs.cells import Page, count_assertions, read_page

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(DOCS)): read_page(path) for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts
}
EXECUTED = {name: page for name, page in PAGES.items() if page.cells}
BLOCKS = {name: page for name, page in PAGES.items() if name.startswith("blocks/")}

# The order of a block's page. Titles may go on: "Edge cases, and what PyTorch does".
SECTIONS = (
    "What it is for",
    "Definition",
    "Backward, in indices",
    "Backward, in matri",
    "The code",
    "By hand",
    "Edge cases",
    "What it costs",
    "Its row of the parity table",
    "Exercises",
)


@pytest.mark.parametrize("name", EXECUTED)
def test_every_cell_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = EXECUTED[name]
    # As in a notebook: the page's own folder is the current one, and what lies in it can be imported.
    monkeypatch.chdir(page.path.parent)
    monkeypatch.syspath_prepend(str(page.path.parent))
    threads, state = ndl.get_num_threads(), ndl.get_rng_state()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for cell in page.cells:
            # Empty lines in front, so that a traceback names, and shows, the line of the page.
            exec(compile("\n" * (cell.line - 1) + cell.code, page.path, "exec"), namespace)
    finally:
        ndl.set_num_threads(threads)
        ndl.set_rng_state(state)


@pytest.mark.parametrize("name", EXECUTED)
def test_every_displayed_step_is_checked(name: str) -> None:
    page = EXECUTED[name]
    assert "" not in page.steps, f"displayed step {page.steps.index('') + 1} has no label, as in $$ … $$ (linear-dx)"
    assert len(set(page.steps)) == len(page.steps), "a label is used twice"
    unchecked = [step for step in page.steps if not page.checks.get(step)]
    assert not unchecked, f"no assertion after a comment such as # ({unchecked[0]}), in any cell, checks {unchecked}"
    unknown = set(page.checks) - set(page.steps)
    assert not unknown, f"cells check {sorted(unknown)}, which no displayed formula is called"


def test_labels_are_the_pages_own() -> None:
    for name, page in EXECUTED.items():
        prefix = Path(name).stem.replace("_", "-") + "-"
        assert all(step.startswith(prefix) for step in page.steps), f"labels of {name} begin with {prefix}"


@pytest.mark.parametrize("name", BLOCKS)
def test_a_blocks_page_keeps_the_order(name: str) -> None:
    page = BLOCKS[name]
    for heading, section in zip(page.headings, SECTIONS, strict=True):
        assert heading.startswith(section)
    hidden = [d for d in page.directives if d.name == "dropdown"]
    assert 2 <= len(hidden) <= 3, "two or three exercises, each with its solution in a {dropdown}"
    shown = [
        cell for cell in page.cells if re.search(r"^parity\.(rows|steps|initial_values)\(", cell.code, re.MULTILINE)
    ]
    assert len(shown) == 1, "one cell shows the page's rows of the measured table"


def find_object(path: Path, dotted: str) -> bool:
    """Whether a source file defines a class or function of this name, such as Linear.forward."""
    body: list[Any] = ast.parse(path.read_text()).body
    for part in dotted.split("."):
        kinds = (ast.ClassDef, ast.FunctionDef)
        node = next((n for n in body if isinstance(n, kinds) and n.name == part), None)
        if node is None:
            return False
        body = node.body
    return True


SHOWN = [
    (name, d)
    for name, page in PAGES.items()
    for d in page.directives
    if d.name == "literalinclude" and d.argument.endswith(".py")
]


@pytest.mark.parametrize(("name", "shown"), SHOWN, ids=lambda v: v if isinstance(v, str) else v.options["pyobject"])
def test_code_that_is_shown_exists(name: str, shown: Any) -> None:
    source = DOCS / Path(name).parent / shown.argument
    assert source.is_file(), f"{name}, line {shown.line}: there is no {shown.argument}"
    dotted = shown.options["pyobject"]
    assert find_object(source, dotted), f"{name}, line {shown.line}: {shown.argument} defines no {dotted}"


def test_links_between_pages_lead_somewhere() -> None:
    for name, page in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+\.md)(?:#[\w-]*)?\)", page.prose):
            assert (DOCS / Path(name).parent / target).is_file(), f"{name} links to {target}, which is not there"


def named_pages() -> list[tuple[str, str]]:
    """(source file, page) for every page that a docstring of ndl names: ``Derivation: docs/blocks/x.md, y.md``."""
    found = []
    for path in sorted((ROOT / "ndl").rglob("*.py")):
        for sentence in re.findall(r"Derivations?: docs/blocks/([\w.,\s/]+?\.md)\.", path.read_text()):
            found += [(str(path.relative_to(ROOT)), page) for page in re.findall(r"\w+\.md", sentence)]
    return found


@pytest.mark.parametrize(("source", "page"), named_pages())
def test_pages_that_docstrings_name_exist(source: str, page: str) -> None:
    assert f"blocks/{page}" in PAGES, f"{source} sends its reader to docs/blocks/{page}"


def table_of_steps(pages: dict[str, Page]) -> str:
    """One line for every page: its displayed steps, and how many assertions check them."""
    rows: list[tuple[str, ...]] = [("page", "cells", "steps", "checked", "assertions")]
    for name, page in pages.items():
        checks = page.checks
        checked = sum(bool(checks.get(step)) for step in page.steps)
        rows.append((name, *map(str, (len(page.cells), len(page.steps), checked, count_assertions(page)))))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{row[0]:{width}}" + "".join(f"{value:>12}" for value in row[1:]) for row in rows)


def test_the_list_of_steps_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    table = table_of_steps(EXECUTED)
    if os.environ.get("NDL_DOCS_TABLE"):
        with capsys.disabled():
            print(f"\n{table}")
    assert len(table.splitlines()) == 1 + len(EXECUTED) > 1
