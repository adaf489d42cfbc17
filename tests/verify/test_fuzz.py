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

    found = fuzz.trial(Case("nn.test.raises", lambda d: Program(run, d.normal(2))), 0, fuzz.Tally())
    assert found is not None and "only ndl raises ValueError: only here" in found.what
    both = Case("nn.test.both", lambda d: Program(lambda T, x: T.no_such_thing, d.normal(2)))
    tally = fuzz.Tally()
    assert fuzz.trial(both, 0, tally) is None and tally.refused == 1


def test_differ() -> None:
    inf, nan = np.inf, np.nan
    assert fuzz.differ(np.array([inf, nan, 1.0]), np.array([inf, nan, 1.0]), 1e-9) is None
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
        assert entry["reason"] and re.compile(entry["text"])
        assert any(fnmatch.fnmatch(name, entry["case"]) for name in all_cases()), entry["case"]
