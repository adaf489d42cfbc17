"""The protocol as tests: parity with PyTorch, numerical gradients and second derivatives, over random configurations.

test_parity, test_numeric, test_second = proof("ops.arithmetic")
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndl.autograd.gradcheck import gradcheck, gradgradcheck
from ndl.verify.case import Draw
from ndl.verify.numeric import differentiable
from ndl.verify.parity import compare
from ndl.verify.registry import all_cases


def proof(prefix: str, examples: int = 30) -> tuple[Callable, Callable, Callable]:
    """Three tests for every case below ``prefix``."""
    cases = all_cases(prefix)
    assert cases, f"no case is registered below {prefix!r}"

    @pytest.mark.parametrize("name", cases)
    def test_parity(name: str) -> None:
        @settings(max_examples=examples)
        @given(st.data())
        def run(data: st.DataObject) -> None:
            program = cases[name].make(Draw(lambda low, high: data.draw(st.integers(low, high))))
            report = compare(program)
            assert report.ok(program.allowed), f"{report.problems} {report.errors}"

        run()

    @pytest.mark.parametrize("name", cases)
    def test_numeric(name: str) -> None:
        for seed in range(3):
            program = cases[name].make(Draw.seeded(seed))
            if program.numeric:
                f, leaves = differentiable(program)
                if leaves:
                    assert gradcheck(f, tuple(leaves.values()), eps=1e-6, atol=1e-6, rtol=1e-5)

    @pytest.mark.parametrize("name", cases)
    def test_second(name: str) -> None:
        for seed in range(2):
            program = cases[name].make(Draw.seeded(seed))
            if program.numeric and program.second:
                f, leaves = differentiable(program)
                if leaves:
                    assert gradgradcheck(f, tuple(leaves.values()), eps=1e-6, atol=1e-5, rtol=1e-4)

    return test_parity, test_numeric, test_second
