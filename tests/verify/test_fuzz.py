"""Random differential testing: some seconds of it, and what it says about a difference."""

import fnmatch
import os
import re
from typing import Any

import numpy as np
import pytest

from ndl.ops.arithmetic import Mul
from ndl.verify import fuzz
from ndl.verify.case import Case, Program
from ndl.verify.nasty import NastyDraw
from ndl.verify.registry import all_cases


def test_no_difference_in_some_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """The same draws every time, unless $NDL_FUZZ_SEED says others: a change is judged by what it changed."""
    seed = os.environ.get("NDL_FUZZ_SEED", "0")
    assert fuzz.main(["--cases", "1000", "--seconds", "20", "--seed", seed]) == 0, capsys.readouterr().out


def test_a_difference_tells_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Mul.backward
    monkeypatch.setattr(Mul, "backward", staticmethod(lambda ctx, dz: tuple(reversed(right(ctx, dz)))))
    assert fuzz.main(["--cases", "30", "--only", "ops.arithmetic.mul", "--seed", "5"]) == 1
    out = capsys.readouterr().out
    again = re.search(r"python -m ndl\.verify\.fuzz (--only '(=\S+)' --seed (\d+) --cases 1)", out)
    assert "seed 5" in out and again is not None
    assert fuzz.main(["--only", again[2], "--seed", again[3], "--cases", "1"]) == 1
    monkeypatch.undo()
    assert fuzz.main(["--only", again[2], "--seed", again[3], "--cases", "1"]) == 0


def test_one_library_that_raises_is_a_difference() -> None:
    def run(T: Any, x: Any) -> Any:
        if T.__name__ == "ndl":
            raise ValueError("only here")
        return x * 1

    (found,) = fuzz.trial(Case("nn.test.raises", lambda d: Program(run, d.normal(2))), 0, fuzz.Tally())
    assert "only ndl raises ValueError: only here" in found.what
    both = Case("nn.test.both", lambda d: Program(lambda T, x: T.no_such_thing, d.normal(2)))
    tally = fuzz.Tally()
    assert fuzz.trial(both, 0, tally) == [] and tally.refused == 1


def test_two_types_of_error_are_a_difference() -> None:
    def run(T: Any, x: Any) -> Any:
        raise (ValueError if T.__name__ == "ndl" else IndexError)("no")

    tally = fuzz.Tally()
    (found,) = fuzz.trial(Case("nn.test.types", lambda d: Program(run, d.normal(2))), 0, tally)
    assert found.what.startswith("ndl raises ValueError: no") and "instead of IndexError: no" in found.what
    assert tally.refused == 0


def test_all_differences_of_a_program_are_told_and_must_be_accepted() -> None:
    def run(T: Any, x: Any) -> Any:
        other = T.__name__ == "ndl"
        return x * (2 if other else 3), (x * float("nan" if other else "inf")).detach()

    case = Case("nn.test.several", lambda d: Program(run, np.array([1.0, 1.0])))
    tally = fuzz.Tally(known=[{"case": "ops.* nn.test.*", "text": "nan instead of inf", "given": "equal"}])
    found = fuzz.trial(case, 0, tally)
    assert [d.what.split(":")[0] for d in found] == ["y0", "y1", "dx0"]
    assert [tally.accepts(d) for d in found] == [False, True, False]
    assert found[0].given == "(2,) with equal"
    tally.known[0]["given"] = "empty"
    assert not any(tally.accepts(d) for d in found)


def test_differ() -> None:
    inf, nan = np.inf, np.nan
    assert fuzz.differ(np.array([inf, nan, 1.0]), np.array([inf, nan, 1.0]), 1e-9) == []
    assert fuzz.differ(np.array([nan, nan, 1.0]), np.array([inf, nan, 2.0]), 1e-9) == [
        "nan instead of inf at [0]",
        "off by 1.0e+00 where the largest is 2.0e+00",
    ]
    assert fuzz.differ(np.array(nan), np.array(0.0), 1e-9) == ["nan instead of 0.0 at []"]
    assert fuzz.differ(np.array([inf]), np.array([-inf]), 1e-9)
    assert fuzz.differ(np.array([nan, 1.0]), np.array([2.0, 1.0]), 1e-9)
    assert fuzz.differ(np.array([1e300]), np.array([1.001e300]), 1e-9)
    assert fuzz.differ(np.array([1e-30]), np.array([2e-30]), 1e-9)
    assert fuzz.differ(np.array([1]), np.array([2]), 1e-9)
    assert fuzz.differ(np.zeros(2), np.zeros(3), 1e-9) and fuzz.differ(np.zeros(2), np.zeros(2, np.float32), 1e-9)


def test_nasty_values_do_come_up() -> None:
    arrays = [NastyDraw.seeded(seed).normal(4, 3) for seed in range(200)]
    assert any(np.isnan(x).any() for x in arrays) and any(np.isinf(x).any() for x in arrays)
    assert any(0 in x.strides for x in arrays), "expanded memory"
    assert any(np.abs(x[np.isfinite(x)]).max(initial=0) > 1e3 for x in arrays)
    assert any(0 in NastyDraw.seeded(seed).shape(2, 3) for seed in range(50)), "empty axes"


def test_every_accepted_difference_names_cases_that_exist() -> None:
    for entry in fuzz.accepted():
        assert entry["reason"] and re.compile(entry["text"]) and re.compile(entry.get("given", ""))
        assert entry.keys() <= {"case", "text", "given", "reason"}
        for pattern in entry["case"].split():
            assert pattern != "*" and any(fnmatch.fnmatch(name, pattern) for name in all_cases()), pattern
