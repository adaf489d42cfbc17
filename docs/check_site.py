"""Is the built book whole, and does it ask no other host for anything? python docs/check_site.py docs/_build/html

Links that a reader may follow (``<a href>``) are allowed to lead anywhere. What a browser fetches by itself is not:
scripts, stylesheets, pictures, fonts, frames, and what stylesheets import.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

OTHER_HOST = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
CSS = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)", re.IGNORECASE)
JAVASCRIPT = re.compile(
    r"(?:\bimport\b\s*\(?|\bfrom|\bfetch\(|importScripts\(|\.src\s*=|\.open\([^,]*,)\s*['\"`]((?:https?:)?//[^'\"`]+)"
)
FETCHED = {"src", "srcset", "poster", "data", "background", "action", "formaction"}
LINKS_THAT_FETCH = {"stylesheet", "icon", "shortcut", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest"}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.styled = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        named = [values[key] for key in FETCHED & values.keys()]
        fetches = tag == "link" and LINKS_THAT_FETCH & set(values.get("rel", "").lower().split())
        if fetches or tag in ("image", "use", "feimage"):
            named += [values.get("href", ""), values.get("xlink:href", "")]
        self.found += [value for value in named if any(OTHER_HOST.match(part) for part in value.split(","))]
        self.found += [a or b for a, b in CSS.findall(values.get("style", ""))]
        self.styled = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        self.styled = ""

    def handle_data(self, data: str) -> None:
        if self.styled:
            self.found += other_hosts(data, ".css" if self.styled == "style" else ".js")


def other_hosts(text: str, suffix: str) -> list[str]:
    """Addresses at other hosts that a browser would fetch for a file of this text and kind."""
    if suffix == ".css":
        return [a or b for a, b in CSS.findall(text)]
    if suffix == ".js":
        return JAVASCRIPT.findall(text)
    page = _Page()
    page.feed(text)
    return page.found


def problems(site: Path) -> list[str]:
    """What is wrong with a built site, one line each."""
    found = []
    files = [path for path in sorted(site.rglob("*")) if path.suffix in (".html", ".css", ".js", ".svg")]
    if not any(path.suffix == ".html" for path in files):
        return [f"there is no page in {site}; `make docs` builds them"]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.relative_to(site).as_posix()
        found += [f"{name} fetches {address}" for address in other_hosts(text, path.suffix)]
        if path.suffix == ".html" and "katex-error" in text:
            found.append(f"{name} has a formula that KaTeX did not understand")
        if path.suffix == ".html" and 'class="katex"' in text and "katex.min.css" not in text:
            found.append(f"{name} has formulas but no stylesheet for them")
    style = next(iter(site.glob("_static/katex.min.css")), None)
    if style is None:
        return [*found, "KaTeX's stylesheet is not in _static"]
    for font in sorted(set(re.findall(r"url\((fonts/[\w-]+\.woff2)\)", style.read_text(encoding="utf-8")))):
        if not (style.parent / font).is_file():
            found.append(f"_static/{font} is missing")
    return found


def main() -> int:
    """0 if nothing is wrong."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/_build/html")
    found = problems(site)
    print("\n".join(found) or f"{len(list(site.rglob('*.html')))} pages; nothing is fetched from another host")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
