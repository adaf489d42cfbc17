"""``ndl.verify.check`` on layers that are right, and on every kind of mistake that it has words for."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from ndl import nn
from ndl.autograd import Function
from ndl.verify import check


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def function(forward: Callable, backward: Callable) -> Callable:
    """``apply`` of a Function with these two."""
    return type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply  # type: ignore[attr-defined]


def linear(backward: Callable) -> Callable:
    def forward(ctx: Any, x: Any, W: Any) -> Any:
        ctx.save_for_backward(x, W)
        return x @ W.T

    return function(forward, lambda ctx, dy: backward(*ctx.saved_tensors, dy))


X, W = normal(5, 4, seed=8), normal(3, 4, seed=1)


# -- what is right ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "inputs", "reference"),
    [
        (nn.Linear(4, 3), [X], torch.nn.Linear(4, 3)),
        (nn.Conv2d(2, 3, 3), [normal(2, 2, 6, 5)], torch.nn.Conv2d(2, 3, 3)),
        (nn.BatchNorm2d(3), [normal(3, 3, 4, 2)], torch.nn.BatchNorm2d(3)),
        (nn.Dropout(0.5), [X], None),
        (nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)), [X], None),
        (nn.Identity(), [X], torch.nn.Identity()),
        (F.cross_entropy, [normal(5, 3), np.array([0, 1, 2, 0, 1])], torch.nn.functional.cross_entropy),
        (F.softmax, [X, 1], torch.softmax),
        (ndl.matmul, [X, W.T.copy()], np.matmul),
        (ndl.exp, [X], np.exp(X)),
        (lambda x: (x.sin(), x.cos().sum(0)), [X], lambda x: (x.sin(), x.cos().sum(0))),
        (lambda x: x.view(-1), [X], lambda x: x.reshape(-1)),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else None,
)
def test_what_is_right_passes(module: Any, inputs: list, reference: Any) -> None:
    report = check(module, *inputs, reference=reference)
    assert report, str(report)
    assert "nothing wrong found" in repr(report)
    # With one input and no parameters, each gradient is asked for alone anyway.
    assert len(set(report.passed) - {"asked for alone"}) == 7 + (reference is not None)


def test_the_callers_module_and_random_numbers_are_left_alone() -> None:
    m, x = nn.BatchNorm1d(4), ndl.randn(5, 4)
    before, state = {k: v.numpy().copy() for k, v in m.state_dict().items()}, ndl.get_rng_state()
    check(m, x)
    assert m.weight.dtype == ndl.float32 and m.weight.grad is None and not x.requires_grad
    assert all(np.array_equal(v.numpy(), before[k]) for k, v in m.state_dict().items())
    assert np.array_equal(ndl.get_rng_state().numpy(), state.numpy())


# -- wrong gradients, and what is said about them ----------------------------------------------------------------


def softmax_forward(ctx: Any, x: Any) -> Any:
    p = ndl.softmax(x, -1)
    ctx.save_for_backward(p)
    return p


def sigmoid_forward(ctx: Any, x: Any) -> Any:
    y = ndl.sigmoid(x)
    ctx.save_for_backward(y)
    return y


def normed(ctx: Any, x: Any) -> Any:
    m = x.mean(-1, keepdim=True)
    s = (((x - m) ** 2).mean(-1, keepdim=True) + 1e-5).sqrt()
    ctx.save_for_backward(x, s)
    return (x - m) / s


def keeps(f: Callable) -> Callable:
    """A forward that keeps its input."""

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return f(x)

    return forward


def attention_forward(ctx: Any, q: Any, k: Any, v: Any) -> Any:
    p = ndl.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1)
    ctx.save_for_backward(q, k, v, p)
    return p @ v


def attention_backward(ctx: Any, dy: Any) -> tuple:
    q, k, v, p = ctx.saved_tensors
    dp = dy @ v.mT
    ds = p * (dp - (dp * p).sum(-1, keepdim=True)) / q.shape[-1] ** 0.5
    return ds @ k, ds @ q, p.mT @ dy


def windows_forward(ctx: Any, x: Any) -> Any:
    ctx.size = x.shape[-1]
    return x.unfold(-1, 3, 1) * 1.0


def windows_backward(ctx: Any, dy: Any) -> Any:
    dx = ndl.zeros(*dy.shape[:-2], ctx.size, dtype=dy.dtype)
    for i in range(dy.shape[-2]):
        dx[..., i : i + 3] = dy[..., i, :]
    return dx


SQUARE = normal(4, 4, seed=2)
MISTAKES: dict[str, tuple[Callable, list, str]] = {
    "1/N too much": (
        linear(lambda x, W, dy: (dy @ W, dy.T @ x / 5)),
        [X, W],
        "0.2 times .*5 is the size of dimension 0",
    ),
    "1/N missing": (
        function(keeps(lambda x: x.mean(0)), lambda ctx, dy: dy.expand(5, 4)),
        [X],
        "5 times .* a missing 1/N, as for a mean",
    ),
    "scale": (function(keeps(lambda x: x / 7**0.5), lambda ctx, dy: dy), [normal(3, 7)], "1/√7 is forgotten"),
    "twice": (linear(lambda x, W, dy: (2 * (dy @ W), dy.T @ x)), [X, W], "2 times .*counted twice"),
    "half": (
        function(keeps(lambda x: x**2), lambda ctx, dy: dy * ctx.saved_tensors[0]),
        [X],
        "a factor 2 is forgotten",
    ),
    "sign": (linear(lambda x, W, dy: (-(dy @ W), dy.T @ x)), [X, W], "input 0: 20 of 20 .*\n.*the wrong sign"),
    "none": (linear(lambda x, W, dy: (None, dy.T @ x)), [X, W], "input 0: .*\n.*no gradient arrives"),
    "zero": (linear(lambda x, W, dy: (0 * x, dy.T @ x)), [X, W], "zero everywhere"),
    "shape": (linear(lambda x, W, dy: (dy @ W, x.T @ dy)), [X, W], r"backward: raised RuntimeError: .*\[4, 3\]"),
    "last of the batch": (
        linear(lambda x, W, dy: (dy @ W, dy[-1:].T @ x[-1:])),
        [X, W],
        "only the last of the 5 .*= for +=",
    ),
    "all but the last": (linear(lambda x, W, dy: (dy @ W, dy[:-1].T @ x[:-1])), [X, W], "the last of the 5 .*left out"),
    "transposed result": (
        linear(lambda x, W, dy: (dy @ W, x.T @ dy)),
        [X, SQUARE],
        "dimensions 0 and 1 exchanged: a missing transpose",
    ),
    "transposed operand": (
        linear(lambda x, W, dy: (dy @ W.T, dy.T @ x)),
        [X, SQUARE],
        "input 1 is transposed in a product",
    ),
    "operand without transpose": (
        linear(lambda x, W, dy: (dy @ W, dy @ x)),
        [SQUARE, normal(4, 4)],
        "M B where Mᵀ B is right, B being input 0",
    ),
    "attention key": (
        function(attention_forward, attention_backward),
        [normal(2, 3, 4, seed=s) for s in range(3)],
        "input 1: .*\n.*M B where Mᵀ B is right, B being input 0: a missing transpose",
    ),
    "col2im": (function(windows_forward, windows_backward), [normal(2, 7)], "only the last counts.*= for +="),
    "softmax's diagonal": (
        function(softmax_forward, lambda ctx, dy: dy * ctx.saved_tensors[0] * (1 - ctx.saved_tensors[0])),
        [normal(3, 4)],
        "only the diagonal of the Jacobian",
    ),
    "mean and variance": (
        function(normed, lambda ctx, dy: dy / ctx.saved_tensors[1]),
        [normal(3, 6)],
        "α . β · input 0 along dimension 1: terms that come through the mean and the variance",
    ),
    "mean alone": (
        function(keeps(lambda x: x - x.mean(-1, keepdim=True)), lambda ctx, dy: dy),
        [normal(3, 5)],
        "the same for all elements along dimension 1",
    ),
    "missing factor": (
        function(sigmoid_forward, lambda ctx, dy: dy * (1 - ctx.saved_tensors[0])),
        [normal(3, 4)],
        "lacks the factor the output",
    ),
    "missing term": (
        function(keeps(lambda x: x.sum() + 0.05 * (x * x).sum()), lambda ctx, dy: dy * ctx.saved_tensors[0] * 0 + dy),
        [normal(3, 4)],
        "what is missing is 0.1 times input 0: a term left out",
    ),
    "epsilon": (
        function(keeps(lambda x: (x + 1e-4).log()), lambda ctx, dy: dy / ctx.saved_tensors[0]),
        [np.abs(normal(3, 4)) + 0.2],
        "close, off by .*an epsilon",
    ),
    "one row": (
        function(keeps(lambda x: x * 3), lambda ctx, dy: ndl.cat([dy[:1] * 5, dy[1:] * 3])),
        [normal(4, 3)],
        "only elements at index 0 of dimension 0 are wrong",
    ),
    "nan": (
        function(keeps(lambda x: x * 3), lambda ctx, dy: dy * 3 + (0 / (ctx.saved_tensors[0] * 0))),
        [normal(4, 3)],
        "nan or infinite",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_gradient_is_named(name: str) -> None:
    f, inputs, words = MISTAKES[name]
    report = check(f, *inputs)
    assert not report
    text = str(report)
    assert re.search(words.replace("+=", r"\+="), text), text


def test_weights_scaled_by_a_small_number_hide_nothing() -> None:
    assert not check(linear(lambda x, W, dy: (dy @ W, dy.T @ x * 1.0001)), X, 1e-6 * W)
    assert not check(linear(lambda x, W, dy: (dy @ W * 1.0001, dy.T @ x)), X, 1e-6 * W)
    assert check(linear(lambda x, W, dy: (dy @ W, dy.T @ x)), X, 1e-6 * W)


def test_parameters_are_called_by_their_names() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(ndl.randn(4))

        def forward(self, x: Any) -> Any:
            return function(lambda ctx, x, g: x * g + 0, lambda ctx, dy: (dy * self.gain.detach(), dy))(x, self.gain)

    report = check(Layer(), X)
    assert [which for which, _ in report.problems] == ["gradients"] and "gain: 4 of 4 elements" in str(report)


def test_a_kink_is_left_out_and_told() -> None:
    report = check(ndl.relu, np.array([[0.0, 1.0, -1.0], [2.0, 3.0, 0.0]]))
    assert report and "2 of 6 elements lie on a kink" in str(report)
    wrong = function(keeps(ndl.relu), lambda ctx, dy: dy)
    assert not check(wrong, np.array([0.0, 1.0, -1.0]))


# -- everything around the gradient ------------------------------------------------------------------------------


def test_a_layer_that_remembers_only_its_last_input() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(ndl.randn(3, 4))

        def forward(self, x: Any) -> Any:
            self.x = x.detach()
            return function(lambda ctx, x, W: x @ W.T, lambda ctx, dy: (dy @ self.weight.detach(), dy.T @ self.x))(
                x, self.weight
            )

    report = check(Layer(), X)
    assert [which for which, _ in report.problems] == ["used twice"]
    assert "weight: the gradient of two uses is not the sum of both" in str(report)


def test_a_buffer_that_is_used_again() -> None:
    kept = np.zeros((5, 4))

    def forward(ctx: Any, x: Any) -> Any:
        kept[...] = 2 * x.detach().numpy()
        return ndl.from_numpy(kept)

    report = check(function(forward, lambda ctx, dy: 2 * dy), X)
    assert "the second call overwrote output 0 of the first" in str(report)


def test_a_forward_that_writes_to_its_input() -> None:
    def forward(x: Any) -> Any:
        y = x * 2
        x.detach().numpy()[...] = 0
        return y

    assert "forward writes to input 0" in str(check(forward, X))


def test_a_backward_that_writes_to_dy() -> None:
    def backward(ctx: Any, dy: Any) -> Any:
        dy.numpy()[...] *= 2
        return dy

    assert "backward writes to dL/dy of output 0" in str(check(function(lambda ctx, x: 2 * x, backward), X))


def test_an_output_in_the_inputs_memory() -> None:
    def forward(x: Any) -> Any:
        y = x * 1
        y._array = x._array  # what a Function that forgets a copy does
        return y

    assert "output 0 lies in the memory of input 0" in str(check(forward, X))


def test_random_numbers_from_elsewhere() -> None:
    report = check(lambda x: x * float(np.random.default_rng().random()), X)
    assert [which for which, _ in report.problems] == ["deterministic"]


def test_infinite_outputs_and_types() -> None:
    assert "output 0 is inf at [1]" in str(check(lambda x: 1 / x, np.array([1.0, 0.0])))
    assert "output 0 is float32 although" in str(check(lambda x: x.float(), X))
    cancelling = check(lambda x: (x + 1e6) - 1e6, X)
    assert "off by" in str(cancelling) and {which for which, _ in cancelling.problems} == {"float32"}


def test_references_that_differ() -> None:
    assert "output 0 is off by" in str(check(nn.Linear(4, 3), X, reference=lambda x: x @ W.T))
    report = check(lambda x: x * 2, X, reference=lambda x: (x * 2).detach() + x - x.detach())
    assert "the gradient of input 0 is off by" in str(report), str(report)
    assert "parameters are ['bias', 'weight']" in str(check(nn.Linear(4, 3), X, reference=torch.nn.ReLU()))
    assert "shape (5, 4), the reference's (4, 5)" in str(check(ndl.exp, X, reference=np.exp(X.T)))


def test_constant_inputs_are_not_differentiated() -> None:
    f = function(lambda ctx, x, s: x * s, lambda ctx, dy: (dy * 3.0, None))
    assert not check(f, X, np.full(4, 3.0))
    assert check(f, X, np.full(4, 3.0), constant=(1,))


def test_what_cannot_be_checked_is_told() -> None:
    with pytest.raises(TypeError, match="a Module or a function, but got int"):
        check(3, X)  # type: ignore[arg-type]
    assert "forward: raised RuntimeError" in str(check(nn.Linear(4, 3), normal(5, 5)))
    assert "nothing to differentiate" in str(check(lambda x: x > 0, X))
    assert "600 of its 900 elements" in str(check(ndl.sin, normal(30, 30)))
