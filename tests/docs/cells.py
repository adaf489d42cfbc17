"""What a page of the book holds, read without any notebook machinery: cells, displayed steps, code shown, headings."""

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(`{3,}|:{3,})(.*)$")
DISPLAY = re.compile(r"^\$\$(.*?)\$\$([^\n]*)", re.DOTALL | re.MULTILINE)
CHECKS = re.compile(r"^#((?:\s*\([a-z][\w-]*\),?)+)\s*$")  # a comment that names the steps which the next lines check
LABEL = re.compile(r"\(([a-z][\w-]*)\)")
ASSERTION = re.compile(r"^\s*(?:assert\b|(?:\w+\.)*assert_\w+\()", re.MULTILINE)


@dataclass
class Cell:
    """A code cell, and the line of the page on which its code begins."""

    line: int
    code: str


@dataclass
class Directive:
    """Any other fenced block: its name, argument, ``:options:`` and line."""

    line: int
    name: str
    argument: str
    options: dict[str, str]


@dataclass
class Page:
    path: Path
    cells: list[Cell] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    prose: str = ""  # everything outside of fences, on its own lines

    @property
    def headings(self) -> list[str]:
        return re.findall(r"^## (.+)$", self.prose, re.MULTILINE)

    @property
    def steps(self) -> list[str]:
        """The label of every displayed formula; empty for one that has none."""
        found = []
        for _, after in DISPLAY.findall(self.prose):
            label = re.match(r"\s*\(([^)]+)\)", after)
            found.append(label.group(1) if label else "")
        return found

    @property
    def checks(self) -> dict[str, int]:
        """For every label that a cell's comment names: how many assertions follow before the next such comment."""
        found: dict[str, int] = {}
        for cell in self.cells:
            named: list[str] = []
            for line in cell.code.splitlines():
                comment = CHECKS.match(line)
                if comment:
                    named = LABEL.findall(comment.group(1))
                    found.update((label, found.get(label, 0)) for label in named)
                elif ASSERTION.match(line):
                    for label in named:
                        found[label] += 1
        return found


def count_assertions(page: Page) -> int:
    """All assertions in the cells of a page."""
    return sum(len(ASSERTION.findall(cell.code)) for cell in page.cells)


def read_page(path: Path) -> Page:
    """Parse a MyST page. Raises ValueError for a fence that is not closed."""
    page = Page(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    prose = []
    i = 0
    while i < len(lines):
        fence = FENCE.match(lines[i])
        prose.append("" if fence else lines[i])
        if fence:
            start, i = i, i + 1
            while i < len(lines) and lines[i].strip() != fence.group(1):
                prose.append("")
                i += 1
            if i == len(lines):
                raise ValueError(f"{path.name}, line {start + 1}: this block is not closed")
            prose.append("")
            _add(page, start + 1, fence.group(2).strip(), lines[start + 1 : i])
        i += 1
    page.prose = "\n".join(prose)
    return page


def _add(page: Page, line: int, head: str, body: list[str]) -> None:
    directive = re.match(r"^\{([\w-]+)\}\s*(.*)$", head)
    if directive is None:
        return
    name, argument = directive.groups()
    options = {}
    for text in body:
        option = re.match(r"^:([\w-]+):\s*(.*)$", text)
        if option is None:
            break
        options[option.group(1)] = option.group(2)
    if name == "code-cell":
        skipped = len(options)
        page.cells.append(Cell(line + 1 + skipped, "\n".join(body[skipped:])))
    else:
        page.directives.append(Directive(line, name, argument, options))
