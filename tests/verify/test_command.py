"""The table of all blocks: python -m ndl.verify."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ndl.nn.linear import LinearFunction
from ndl.verify import command
from ndl.verify.case import Case, Draw, Program
from ndl.verify.proof import Row, prove
from ndl.verify.registry import all_cases
from ndl.verify.table import groups, summary, table

ROOT = Path(__file__).resolve().parent.parent.parent
LINEAR = ["--only", "nn.linear", "--configurations", "4"]


def test_what_is_right_is_proven(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(LINEAR) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "block",
        "or",
        "operation",
        "configurations",
        *["y", "dx", "parameters", "buffers", "numerical"],
    ]
    (line,) = (line for line in lines if line.startswith("nn.linear.Linear "))
    assert int(line.split()[1]) == 4 * len(all_cases("nn.linear.Linear"))
    assert all(0 <= float(e) < 1e-9 for e in line.split()[2:5])
    assert "all proven" in lines[-1]
    assert "\033" not in "".join(lines), "colour is for terminals"


@pytest.fixture
def mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """db is the mean of dy, not its sum."""
    right = LinearFunction.backward

    def backward(ctx: Any, dy: Any) -> tuple:
        dx, dW, db = right(ctx, dy)
        return dx, dW, None if db is None else db / 2

    monkeypatch.setattr(LinearFunction, "backward", staticmethod(backward))


def test_a_mistake_is_red_and_the_exit_code_1(
    mistake: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert command.main(LINEAR) == 1
    out = capsys.readouterr().out
    assert any("\033[31m" in line and "nn.linear.Linear" in line and "FAILS" in line for line in out.splitlines())
    assert "d bias is off by" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert command.main(LINEAR) == 1
    assert "\033" not in capsys.readouterr().out


def test_where_pytorch_has_fewer_digits_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the distance from exact numbers, small; PyTorch's own distance from them is not."""
    case = all_cases("nn.activation_hard.Hardsigmoid")["nn.activation_hard.Hardsigmoid"]
    row = prove(case, 5)
    assert row.ok and 0 <= row.errors["dx0"] <= 1e-15
    text = table([row])
    assert text.splitlines()[2].endswith("¹") and "\n¹ PyTorch's own kernel has fewer digits" in text
    program = case.make(Draw.seeded(0))
    assert program.allowed == 1e-10 < program.tolerance

    def half_as_exact(d: Draw) -> Program:
        program = case.make(d)
        program.exact = lambda T, m, x: T.nn.functional.relu6(x * 2 + 3) / 6 * (1 + 1e-8)
        return program

    assert all("allowed 1e-10" in problem for problem in prove(Case("nn.test.inexact", half_as_exact), 2).problems)
    assert prove(Case("nn.test.inexact", half_as_exact), 1).problems


def test_the_numerical_check_alone_finds_it_too(mistake: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*LINEAR, "--numeric"]) == 1
    assert "from central differences" in capsys.readouterr().out


def test_without_pytorch_it_says_so_and_checks_by_numbers() -> None:
    code = "import sys; sys.modules['torch'] = None; from ndl.verify.command import main; sys.exit(main(sys.argv[1:]))"
    run = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run([*run, *LINEAR], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "PyTorch is not installed here" in done.stdout and "all proven" in done.stdout
    done = subprocess.run([*run, *LINEAR, "--float32"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "PyTorch is not installed" in done.stdout


def test_json_has_every_quantity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "table.json"
    assert command.main(["--only", "nn.linear.Linear", "BatchNorm1d", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    cases = {c["name"]: c for c in found["cases"]}
    assert found["ok"] and {"y0", "dx0", "d weight", "d bias"} <= cases["nn.linear.Linear"]["errors"].keys()
    assert "d weight" in cases["nn.linear.Linear"]["numerical"]
    assert "buffer running_mean" in cases["nn.batchnorm.BatchNorm1d"]["errors"]


def test_float32_is_measured_beside_pytorchs(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*LINEAR, "--float32", "--each"]) == 0
    out = capsys.readouterr().out
    assert "d weight" in out and "PyTorch" in out


def test_float32_digits_that_are_lost_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(T: Any, x: Any) -> Any:
        return (x + 1000) - 1000 if T.__name__ == "ndl" else x * 1

    case = Case("nn.test.loses", lambda d: Program(run, d.normal(5)))
    assert not prove(case, 5, float32=True).ok
    assert prove(case, 5).ok


@pytest.mark.parametrize("arguments", [["--configurations", "0"], ["--jobs", "0"], ["--numeric", "--float32"]])
def test_wrong_options_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "error: --" in capsys.readouterr().err


def test_a_pattern_that_matches_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "nn.nonsense"]) == 2
    assert "no case matches nn.nonsense" in capsys.readouterr().out


def test_patterns() -> None:
    assert command.chosen(["nn.linear.L*"]) == [
        "nn.linear.Linear",
        *[n for n in all_cases("nn.linear") if ".Linear." in n],
    ]
    assert set(command.chosen(["softmax"])) >= set(all_cases("nn.softmax"))


def test_two_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "FEW", 2)
    names = command.chosen(["ops.axes"])
    two, one = (command.arguments(["--configurations", "1", "--jobs", jobs, "--numeric"]) for jobs in "21")
    for a, b in zip(command.rows_of(names, two, False), command.rows_of(names, one, False), strict=True):
        assert (a.name, a.numerical, a.ok) == (b.name, b.numerical, b.ok)


def test_what_raises_is_a_row_not_the_end() -> None:
    def make(d: Draw) -> Program:
        return Program(lambda T, x: T.no_such_function(x), d.normal(2))

    row = prove(Case("nn.test.missing", make), 3)
    assert not row.ok and len(row.problems) == 3
    assert summary([row], 0.0).count("no_such_function") == 1, "the same words are told once"


def test_cases_of_a_block_stand_together() -> None:
    rows = [Row("nn.loss.a", 2, {"y0": 1e-16}), Row("nn.loss.a.ties", 3, {"y0": 1e-12, "d weight": 2e-13})]
    assert list(groups(rows)) == ["nn.loss.a"]
    total, *below = table(rows).splitlines()[2:]
    assert total.split() == ["nn.loss.a", "5", "1.0e-12", "·", "2.0e-13", "·", "·"]
    assert [line.split()[0] for line in below] == ["a", ".ties"]


def test_every_case_makes_the_same_program_from_the_same_seed() -> None:
    for name, case in all_cases("nn").items():
        one, two = (case.make(Draw.seeded(3)).inputs for _ in range(2))
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True)), name
