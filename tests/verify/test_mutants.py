"""The tool that makes mistakes: what it makes, where, and that the checks catch them."""

import ast
import os
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ndl.verify import mutants
from ndl.verify.mutation import mutations
from ndl.verify.registry import all_cases
from ndl.verify.targets import targets
from ndl.verify.trials import record


def made(code: str) -> set[str]:
    (function,) = ast.parse("def backward(ctx, dy):\n " + code.replace("\n", "\n ")).body
    assert isinstance(function, ast.FunctionDef)
    return {m.after for m in mutations(function)}


@pytest.mark.parametrize(
    ("code", "mistakes"),
    [
        ("dx = a + b", {"dx = a", "dx = b", "dx = a - b"}),
        ("dx = a - b", {"dx = a", "dx = -b", "dx = a + b", "dx = b - a"}),
        ("dx = a * b", {"dx = a", "dx = b", "dx = a / b"}),
        ("dx = a / n", {"dx = a", "dx = a * n", "dx = n / a"}),
        ("dW = dy.T @ x", {"dW = dy @ x", "dW = x @ dy.T"}),
        ("dx = -dy", {"dx = dy"}),
        ("dx += dy", {"dx = dy", "dx -= dy", "pass"}),
        ("np.add.at(dx, i, dy)", {"dx[i] = dy", "pass"}),
        ("db = dy.sum(0)", {"db = dy", "db = dy.mean(0)", "db = dy.sum(1)"}),
        ("m = x < y", {"m = x <= y"}),
        ("dx = dy[1:n]", {"dx = dy[0:n]", "dx = dy[2:n]", "dx = dy[1:n + 1]"}),
        ("dx = np.swapaxes(dy, 0, 1)", {"dx = dy"}),
        ("dx = keep(dy, mask)", {"dx = dy"}),
        ("dx = np.einsum('no,oi->ni', dy, W)", {"dx = np.einsum('no,oi->in', dy, W)"}),
        ("return dx, dW", {"return (dW, dx)", "return (None, dW)", "return (dx, None)"}),
        ("dx = X.apply(a, b)", {"dx = X.apply(b, a)"}),
        ("dx = a.sum(0, keepdims=True)", {"dx = a.sum(0, keepdims=False)"}),
    ],
)
def test_the_mistakes_that_are_made(code: str, mistakes: set[str]) -> None:
    assert mistakes <= made(code)


def test_what_only_costs_time_is_left_alone() -> None:
    assert made("if need_dx:\n    pass") == set()
    assert made("raise ValueError(1 + 2)") == set()
    assert made("'''text'''\nx = np.array(y, copy=True)") == set()


def test_what_spares_work_where_a_mask_is_empty_or_full_is_left_alone() -> None:
    assert made("if zero.any():\n    pass") == {"if False:"}
    assert made("if x.all():\n    pass") == {"if True:"}
    assert {"if True:", "if False:"} <= made("if zero.any() and wanted:\n    pass")
    assert "if (x <= 0).all():" in made("if (x < 0).all():\n    pass")


def test_targets_are_backward_passes_and_what_only_they_call() -> None:
    found = {(t.module, t.qualname): t.room for t in targets()}
    assert found["ndl.nn.linear", "LinearFunction.backward"] == "nn.linear"
    assert found["ndl.kernels.conv2d.four_loops", "weight_grad"] == "nn.conv"
    assert ("ndl.kernels.conv2d.four_loops", "forward") not in found
    assert ("ndl.nn.linear", "linear") not in found


def test_helpers_are_found_however_they_are_called() -> None:
    found = {(t.module, t.qualname): t.room for t in targets()}
    for module, name, room in [
        ("ndl.kernels.resample", "Taps.transposed", "nn.interpolate"),  # a method of an object made by forward
        ("ndl.kernels.conv2d.winograd", "_OutputGrads.fill", "nn.conv"),  # of one that only backward makes
        ("ndl.nn.recurrent_steps", "recorded_backward", "nn.recurrent_steps"),  # public among the rooms only
        ("ndl.nn.conv", "total", "nn.conv"),  # elsewhere a variable of that name
        ("ndl.autograd.views", "Window.open", "autograd.views"),
        ("ndl.autograd.views", "Scatter.forward", "autograd.views"),
    ]:
        assert found.get((module, name)) == room, name
    for module, name in [
        ("ndl.ops.axes", "swapaxes"),  # users call it
        ("ndl.autograd.engine", "backward"),
        ("ndl.autograd.tensor", "Tensor.backward"),
        ("ndl.nn.containers", "Sequential.append"),
    ]:
        assert (module, name) not in found, name


def test_no_backward_that_somebody_wrote_is_left_out() -> None:
    """Wherever in the package, but in the programs of cases: a class's ``backward(ctx, ...)`` is a target."""
    found = {(t.module, t.qualname) for t in targets()}
    package = Path(mutants.__file__).parent.parent
    written = set()
    for path in (p for p in package.rglob("*.py") if p.parent.name != "cases"):
        module = ".".join(("ndl", *path.relative_to(package).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for f in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(f, ast.FunctionDef) and f.name == "backward" and f.args.args[0].arg == "ctx":
                    written.add((module, f"{node.name}.backward"))  # type: ignore[attr-defined]
    assert len(written) > 200
    assert written - found == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants need fork")
@pytest.mark.parametrize(
    ("room", "configurations", "least"),
    [("nn.linear", 4, 10), ("ops.axes", 4, 3), ("ops.writing", 4, 3), ("autograd", 2, 50)],
)
def test_every_mutant_of_a_room_is_caught(room: str, configurations: int, least: int) -> None:
    """The blocks' own run is python -m ndl.verify.mutants; this is a sample of it, over the rooms' own cases."""
    import torch

    trials = list(record(all_cases(room).values(), configurations, torch=torch))
    chosen = [t for t in targets() if (t.room + ".").startswith(room + ".") and t.module == f"ndl.{t.room}"]
    everyone = [(t, m) for t in chosen for m in mutations(t.node)]
    outcomes = list(mutants.verdicts(everyone, trials, mutants.equivalents(), 2))
    assert len(outcomes) == len(everyone) >= least
    assert [str(o) for o in outcomes if o.fate == "survived"] == []
    assert room in mutants.report(outcomes, 1.0)


def test_the_trials_draw_what_the_first_seeds_do_not() -> None:
    """Of the first twelve seeds, none draws one dimension where there may be none to four."""
    trials = list(record(all_cases("ops.cumulative.cumsum").values(), 12))
    assert {np.ndim(t.program.inputs[0]) for t in trials} == {0, 1, 2, 3, 4}


def test_a_room_has_several_names() -> None:
    def rooms(pattern: str) -> set[str]:
        return {t.room for t in targets() if mutants._matches(t, pattern)}

    assert rooms("nn.linear") == rooms("linear") == rooms("LinearFunction") == {"nn.linear"}
    assert rooms("ops") == {t.room for t in targets() if t.room.startswith("ops.")}
    assert rooms("nn.lin") == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants need fork")
def test_a_mutant_that_does_not_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*args: object) -> None:
        while True:
            pass

    monkeypatch.setattr(mutants, "SECONDS", 0.3)
    monkeypatch.setattr(mutants, "try_out", endless)
    target = next(t for t in targets() if t.room == "nn.linear")
    ((_, _, why),) = mutants.run_mutants(iter([(target, next(mutations(target.node)), [])]), 1)
    assert why == "did not end in 0 s"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants need fork")
def test_a_mutant_that_a_busy_machine_keeps_waiting_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the time that a trial computes."""
    monkeypatch.setattr(mutants, "SECONDS", 0.2)
    monkeypatch.setattr(mutants, "try_out", lambda *_: time.sleep(0.5))
    target = next(t for t in targets() if t.room == "nn.linear")
    ((_, _, why),) = mutants.run_mutants(iter([(target, next(mutations(target.node)), [])]), 1)
    assert why is None


def test_no_trial_no_verdict() -> None:
    target = next(t for t in targets() if t.room == "nn.linear")
    mutation = next(mutations(target.node))
    if hasattr(os, "fork"):
        (outcome,) = mutants.verdicts([(target, mutation)], [], {}, 1)
        assert outcome.fate == "survived" and outcome.reason == "no case runs this function"


def test_the_list_of_equivalent_mutants_is_up_to_date() -> None:
    assert mutants.stale(mutants.equivalents(), targets(), []) == []
    assert all(mutants.equivalents().values()), "each has its reason"


def test_an_entry_matches_one_mutant_of_several_with_the_same_text(tmp_path: Path) -> None:
    (function,) = ast.parse("def backward(ctx, dy):\n    if a:\n        if a:\n            return b").body
    assert isinstance(function, ast.FunctionDef)
    found = [m.which for m in mutations(function) if (m.before, m.after) == ("if a:", "if False:")]
    assert found == [1, 2]
    file = tmp_path / "list.toml"
    entry = '[[mutant]]\nfile = "f"\nfunction = "g"\nbefore = "if a:"\nafter = "if False:"\nreason = "why"\n'
    file.write_text(entry + "which = 2\n")
    assert set(mutants.equivalents(file)) == {("f", "g", "if a:", "if False:", 2)}


def test_an_entry_that_matches_nothing_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "list.toml"
    file.write_text(
        '[[mutant]]\nfile = "ndl/nn/linear.py"\nfunction = "LinearFunction.backward"\nbefore = "x"\nafter = "y"\n'
        'reason = "gone"\n'
    )
    known = mutants.equivalents(file)
    assert "no mutant is like this any more" in mutants.stale(known, targets(), [])[0]
    caught = SimpleNamespace(
        file="ndl/nn/linear.py", function="LinearFunction.backward", before="x", after="y", fate="caught", which=1
    )
    assert "is caught, so it is not equivalent" in mutants.stale(known, targets(), [caught])[0]  # type: ignore[list-item]
