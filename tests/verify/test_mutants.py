"""The tool that makes mistakes: what it makes, where, and that the checks catch them."""

import ast
import os
from pathlib import Path
from types import SimpleNamespace

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


def test_targets_are_backward_passes_and_what_only_they_call() -> None:
    found = {(t.module, t.qualname): t.room for t in targets()}
    assert found["ndl.nn.linear", "LinearFunction.backward"] == "nn.linear"
    assert found["ndl.kernels.conv2d.four_loops", "weight_grad"] == "nn.conv"
    assert ("ndl.kernels.conv2d.four_loops", "forward") not in found
    assert ("ndl.nn.linear", "linear") not in found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants need fork")
def test_every_mutant_of_the_linear_layer_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks' own run is python -m ndl.verify.mutants; this is a sample of it, over one room's own cases."""
    import torch

    known = mutants.equivalents()
    trials = list(record(all_cases("nn.linear").values(), 4, torch=torch))
    chosen = [t for t in targets() if t.module == "ndl.nn.linear"]
    everyone = [(t, m) for t in chosen for m in mutations(t.node)]
    outcomes = list(mutants.verdicts(everyone, trials, known, 2))
    assert len(outcomes) == len(everyone) >= 10
    assert [str(o) for o in outcomes if o.fate == "survived"] == []
    assert "nn.linear" in mutants.report(outcomes, 1.0)


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


def test_no_trial_no_verdict() -> None:
    target = next(t for t in targets() if t.room == "nn.linear")
    mutation = next(mutations(target.node))
    if hasattr(os, "fork"):
        (outcome,) = mutants.verdicts([(target, mutation)], [], {}, 1)
        assert outcome.fate == "survived" and outcome.reason == "no case runs this function"


def test_the_list_of_equivalent_mutants_is_up_to_date() -> None:
    assert mutants.stale(mutants.equivalents(), targets(), []) == []
    assert all(mutants.equivalents().values()), "each has its reason"


def test_an_entry_that_matches_nothing_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "list.toml"
    file.write_text(
        '[[mutant]]\nfile = "ndl/nn/linear.py"\nfunction = "LinearFunction.backward"\nbefore = "x"\nafter = "y"\n'
        'reason = "gone"\n'
    )
    known = mutants.equivalents(file)
    assert "no mutant is like this any more" in mutants.stale(known, targets(), [])[0]
    caught = SimpleNamespace(
        file="ndl/nn/linear.py", function="LinearFunction.backward", before="x", after="y", fate="caught"
    )
    assert "is caught, so it is not equivalent" in mutants.stale(known, targets(), [caught])[0]  # type: ignore[list-item]
