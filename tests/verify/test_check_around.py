"""``ndl.verify.check`` around the gradient: nested inputs and outputs, writing, gradients asked for alone, references."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from ndl import nn
from ndl.autograd import Function
from ndl.verify import check


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def function(forward: Callable, backward: Callable) -> Callable:
    """``apply`` of a Function with these two."""
    return type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply  # type: ignore[attr-defined]


def which(report: Any) -> list[str]:
    return [name for name, _ in report.problems]


# -- used twice, asked for alone, written to -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (1, 5), (1,), ()])
def test_what_the_next_call_overwrites_is_seen_at_any_shape(shape: tuple) -> None:
    kept = np.zeros(shape)

    def forward(ctx: Any, x: Any) -> Any:
        kept[...] = x.detach().numpy()
        return x * x

    assert "used twice" in which(
        check(function(forward, lambda ctx, dy: 2 * dy * ndl.from_numpy(kept)), normal(*shape))
    )
    assert check(lambda x: x * x, normal(*shape))


def test_the_second_use_stays_where_the_function_is_defined() -> None:
    def of_sorted(x: Any) -> Any:
        if (x.diff() <= 0).any():
            raise ValueError("the breakpoints must rise")
        return x.diff().log()

    assert check(of_sorted, np.linspace(0.1, 1, 5))


def test_a_gradient_that_is_dropped_where_x_needs_none() -> None:
    class Layer(nn.Module):
        def __init__(self, right: bool) -> None:
            super().__init__()
            self.weight = nn.Parameter(ndl.randn(3, 4))
            self.right = right

        def forward(self, x: Any) -> Any:
            def forward(ctx: Any, x: Any, W: Any) -> Any:
                ctx.save_for_backward(x, W)
                return x @ W.T

            def backward(ctx: Any, dy: Any) -> tuple:
                x, W = ctx.saved_tensors
                if not (self.right or ctx.needs_input_grad[0]):
                    return None, None
                return dy @ W, dy.T @ x

            return function(forward, backward)(x, self.weight)

    report = check(Layer(False), normal(5, 4))
    assert which(report) == ["asked for alone"] and "weight: the gradient is another" in str(report)
    assert "asked for alone" in check(Layer(True), normal(5, 4)).passed


def test_writing_to_what_has_no_gradient() -> None:
    def fills(position: int, value: Any) -> Callable:
        def f(*inputs: Any) -> Any:
            y = inputs[0] * 2
            inputs[position].fill_(value)
            return y

        return f

    x = normal(4)
    assert "forward writes to input 1" in str(check(fills(1, 0), x, np.arange(1, 5)))
    assert "forward writes to input 1" in str(check(fills(1, False), x, np.ones(4, bool)))
    assert "forward writes to input 1" in str(check(fills(1, 0), x, normal(4), constant=(1,)))
    assert check(lambda x, i: x[i], x, np.arange(3))


# -- nested inputs and outputs ---------------------------------------------------------------------------------------


def test_lists_tuples_and_dicts_of_tensors_are_inputs() -> None:
    a, b = ndl.from_numpy(normal(2, 3)), ndl.from_numpy(normal(4, 3, seed=4))
    assert check(ndl.cat, [a, b])
    assert check(nn.LSTM(3, 4), normal(5, 2, 3), (normal(1, 2, 4), normal(1, 2, 4, seed=4)))
    wrong = function(lambda ctx, a, b: a * b, lambda ctx, dy: (dy, dy))
    assert "input 0[1]" in str(check(lambda inputs: wrong(*inputs), [a, a]))
    assert "input 0['q']" in str(check(lambda inputs: wrong(inputs["q"], inputs["k"]), {"q": a, "k": a}))
    assert "gradients" in which(check(lambda inputs: wrong(*inputs), (normal(3), normal(3, seed=4))))


def test_dicts_and_dataclasses_of_outputs() -> None:
    @dataclasses.dataclass
    class Output:
        logits: Any
        hidden: tuple

    wrong = function(lambda ctx, x: x * 2, lambda ctx, dy: dy)
    for pack in (lambda y: {"y": y, "n": 3}, lambda y: Output(y.sum(0), (y, None))):
        assert check(lambda x, pack=pack: pack(x * 2), normal(3, 2))
        assert which(check(lambda x, pack=pack: pack(wrong(x)), normal(3, 2))) == ["gradients"]


def test_a_detached_statistic_is_left_out_and_told() -> None:
    report = check(lambda x: (x * 2, x.detach().mean()), normal(3, 4))
    assert report and "output 1 requires no gradient" in str(report)
    assert not check(lambda x: (x * 2).detach(), normal(3, 4))


def test_names_that_begin_with_input() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.input_proj = nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            return self.input_proj(x)

    report = check(Layer(), normal(5, 4), reference=lambda x: x @ np.zeros((4, 3)))
    assert which(report) == ["reference"], str(report)


def test_numbers_are_inputs() -> None:
    assert check(lambda x, s: x * s, normal(4), np.array(1.5))


# -- what cannot be checked as it is, and what is done inside ----------------------------------------------------------


def test_a_function_that_differentiates_on_its_way() -> None:
    def slope(x: Any) -> Any:
        return ndl.autograd.grad((x**3).sum(), x, create_graph=True)[0]

    assert check(slope, normal(4))
    with ndl.no_grad():
        assert check(slope, normal(4))


@pytest.mark.filterwarnings("ignore:.*weight_norm is deprecated")
def test_modules_that_cannot_be_checked_yet() -> None:
    assert "forward: cannot be copied" in str(check(nn.LazyLinear(3), normal(4, 5)))
    assert "Call forward with a batch" in str(check(nn.LazyLinear(3), normal(4, 5)))
    assert "nn.utils.parametrizations" in str(check(nn.utils.weight_norm(nn.Linear(4, 3)), normal(4, 4)))
    lin = nn.Linear(4, 3)
    assert "pass the module itself" in str(check(lambda x: lin(x), normal(4, 4)))
    lin = lin.double()
    report = check(lambda x: lin(x), normal(4, 4))
    assert report and "float32" not in report.passed and "in float32 it raises RuntimeError" in str(report)
    ndl.manual_seed(0)
    spectral = nn.utils.spectral_norm(nn.Linear(4, 3))
    assert "put the module in eval()" in str(check(spectral, normal(4, 4)))
    assert check(spectral.eval(), normal(4, 4))


def test_every_third_call_differs() -> None:
    calls = [0]

    def f(x: Any) -> Any:
        calls[0] += 1
        return x * (2 if calls[0] % 4 == 0 else 1)

    assert which(check(f, normal(3))) == ["deterministic"]


# -- references --------------------------------------------------------------------------------------------------------


def test_buffers_are_compared() -> None:
    class Wrong(nn.BatchNorm1d):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            self.running_mean.mul_(2)  # type: ignore[union-attr]
            return y

    assert check(nn.BatchNorm1d(4), normal(5, 4), reference=torch.nn.BatchNorm1d(4))
    report = check(Wrong(4), normal(5, 4), reference=torch.nn.BatchNorm1d(4))
    assert which(report) == ["reference"] and "the buffer running_mean is off" in str(report)


def test_references_that_are_right() -> None:
    ours, theirs = nn.Linear(4, 3), torch.nn.Linear(4, 3)
    ours.bias.requires_grad_(False), theirs.bias.requires_grad_(False)
    x, mask = normal(5, 4), normal(5, 4, seed=4).astype(np.float32)
    state = torch.get_rng_state()
    for report in (
        check(ours, x, reference=theirs),
        check(nn.Dropout(0.5), x, reference=torch.nn.Dropout(0.5)),
        check(lambda x, m: x * m, x, mask, constant=(1,), reference=lambda x, m: torch.mul(x, m)),
        check(ndl.exp, x, reference=np.exp(x).astype(np.float32)),
        check(nn.Linear(4, 3), x, reference=nn.Linear(4, 3)),
        check(lambda x: (x.sin(), x.cos()), x, reference=(np.sin(x), np.cos(x))),
        check(nn.ReLU(inplace=True), x, reference=torch.nn.ReLU(inplace=True)),
        check(ndl.cat, [x, x], reference=torch.cat),
    ):
        assert report and "reference" in report.passed and "arrays" not in str(report), str(report)
    assert torch.equal(state, torch.get_rng_state())


def test_a_reference_that_raises() -> None:
    def broken(x: Any) -> Any:
        raise KeyError("gain")

    assert "the reference raised with PyTorch's tensors KeyError: 'gain'" in str(
        check(ndl.exp, normal(3), reference=broken)
    )
    assert "the reference raised IndexError" in str(check(ndl.exp, normal(3), reference=torch.nn.Softmax(2)))
    wrong = function(lambda ctx, x: x * 2, lambda ctx, dy: dy)

    class Wrong(nn.Module):
        def forward(self, x: Any) -> Any:
            return wrong(x)

    report = check(lambda x: x * 2, normal(3), reference=Wrong())
    assert "the gradient of input 0 is off by" in str(report)
