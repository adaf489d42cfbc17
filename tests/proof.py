"""The protocol as tests: parity with PyTorch, numerical gradients and second derivatives, over random configurations.

test_parity, test_numeric, test_second = proof("ops.arithmetic")
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ndl
from ndl.autograd.gradcheck import gradcheck, gradgradcheck
from ndl.verify.case import Draw, Program
from ndl.verify.parity import compare, parameter_values
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
            assert report.ok(program.tolerance), f"{report.problems} {report.errors}"

        run()

    @pytest.mark.parametrize("name", cases)
    def test_numeric(name: str) -> None:
        for seed in range(3):
            program = cases[name].make(Draw.seeded(seed))
            if program.numeric:
                f, inputs = differentiable(program)
                if inputs:
                    assert gradcheck(f, inputs, eps=1e-6, atol=1e-6, rtol=1e-5)

    @pytest.mark.parametrize("name", cases)
    def test_second(name: str) -> None:
        for seed in range(2):
            program = cases[name].make(Draw.seeded(seed))
            if program.numeric and program.second:
                f, inputs = differentiable(program)
                if inputs:
                    assert gradgradcheck(f, inputs, eps=1e-6, atol=1e-5, rtol=1e-4)

    return test_parity, test_numeric, test_second


def differentiable(program: Program) -> tuple[Callable, tuple]:
    """The program as a function of the tensors to differentiate: its floating inputs and its parameters."""
    tensors = [ndl.from_numpy(np.array(x)) for x in program.inputs]
    places = [i for i, x in enumerate(program.inputs) if x.dtype.kind == "f" and i not in program.constant]
    module = None
    if program.module is not None:
        module = program.module(ndl).to(ndl.float64)
        values = parameter_values([(n, tuple(p.shape)) for n, p in module.named_parameters()])
        with ndl.no_grad():
            for name, p in module.named_parameters():
                p.copy_(ndl.from_numpy(values[name]))
    parameters = list(module.parameters()) if module is not None else []
    state = {k: np.array(v.detach().numpy()) for k, v in module.state_dict().items()} if module is not None else {}

    def f(*inputs: ndl.Tensor) -> tuple:
        arguments = list(tensors)
        for place, t in zip(places, inputs, strict=False):
            # A program that writes to its inputs must not write to the leaves it is differentiated by.
            arguments[place] = t * 1
        if program.seed:
            ndl.manual_seed(0)
        if module is not None:
            with ndl.no_grad():
                for name, b in module.named_buffers():
                    b.copy_(ndl.from_numpy(state[name]))
            arguments.insert(0, module)
        from ndl.verify.parity import outputs_of

        results = outputs_of(program.run(ndl, *arguments))
        return tuple(y for y in results if isinstance(y, ndl.Tensor) and y.requires_grad)

    leaves = [tensors[i].requires_grad_() for i in places]
    return f, (*leaves, *parameters)
