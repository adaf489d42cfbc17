"""The protocol for ``ndl.nn.activation``, and what is true of the activations of all rooms."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.activation")

FUNCTIONS: dict[str, Callable] = {
    "relu": lambda T, x: T.nn.functional.relu(x),
    "threshold": lambda T, x: T.nn.functional.threshold(x, 0.5, 9.0),
    "leaky_relu": lambda T, x: T.nn.functional.leaky_relu(x),
    "leaky_relu 0": lambda T, x: T.nn.functional.leaky_relu(x, 0.0),
    "leaky_relu 3": lambda T, x: T.nn.functional.leaky_relu(x, 3.0),
    "leaky_relu -1": lambda T, x: T.nn.functional.leaky_relu(x, -1.0),
    "leaky_relu_": lambda T, x: T.nn.functional.leaky_relu_(x * 1),
    "rrelu": lambda T, x: T.nn.functional.rrelu(x),
    "prelu": lambda T, x: T.prelu(x, T.full((1,), 0.25, dtype=x.dtype)),
    "hardtanh": lambda T, x: T.nn.functional.hardtanh(x),
    "hardtanh_": lambda T, x: T.nn.functional.hardtanh_(x * 1),
    "relu6": lambda T, x: T.nn.functional.relu6(x),
    "hardsigmoid": lambda T, x: T.nn.functional.hardsigmoid(x),
    "hardswish": lambda T, x: T.nn.functional.hardswish(x),
    "hardshrink": lambda T, x: T.nn.functional.hardshrink(x),
    "softshrink": lambda T, x: T.nn.functional.softshrink(x),
    "elu": lambda T, x: T.nn.functional.elu(x, 2.0),
    "elu_": lambda T, x: T.nn.functional.elu_(x * 1, 2.0),
    "selu": lambda T, x: T.nn.functional.selu(x),
    "celu": lambda T, x: T.nn.functional.celu(x, 0.5),
    "sigmoid": lambda T, x: T.nn.functional.sigmoid(x),
    "tanh": lambda T, x: T.nn.functional.tanh(x),
    "softplus": lambda T, x: T.nn.functional.softplus(x),
    "logsigmoid": lambda T, x: T.nn.functional.logsigmoid(x),
    "tanhshrink": lambda T, x: T.nn.functional.tanhshrink(x),
    "softsign": lambda T, x: T.nn.functional.softsign(x),
    "silu": lambda T, x: T.nn.functional.silu(x),
    "gelu": lambda T, x: T.nn.functional.gelu(x),
    "gelu tanh": lambda T, x: T.nn.functional.gelu(x, approximate="tanh"),
    "mish": lambda T, x: T.nn.functional.mish(x),
}
every = pytest.mark.parametrize("name", FUNCTIONS)
# PyTorch's gradient of hardsigmoid multiplies by 1/6 in float32's digits, whatever the type.
exact = pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "hardsigmoid"])


def value_and_slope(T: Any, f: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(x) and the gradient of its sum."""
    leaf = T.from_numpy(x.copy()).requires_grad_()
    y = f(T, leaf)
    y.sum().backward()
    return np.array(y.detach().numpy()), np.array(leaf.grad.numpy())


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_values(name: str, dtype: type) -> None:
    """±∞, nan, ±10⁴ and the like: PyTorch's values, and no warning."""
    x = np.array([-np.inf, -1e4, -100, -30, -1, -0.0, 0, 0.5, 1, 30, 100, 1e4, np.inf, np.nan], dtype)
    ours, theirs = value_and_slope(ndl, FUNCTIONS[name], x), value_and_slope(torch, FUNCTIONS[name], x)
    for a, b in zip(ours, theirs, strict=True):
        if name == "gelu" and dtype == np.float32:
            b[-2] = a[-2]  # at +∞ PyTorch gives nan in float32 and ∞ in float64
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 if dtype == np.float32 else 1e-9)
    assert ours[0].dtype == ours[1].dtype == dtype


@exact
def test_small_shapes(name: str) -> None:
    """No dimension, one element, no element."""
    for shape in [(), (1,), (0,), (3, 0, 2), (1, 1, 1)]:
        same(lambda T, x: FUNCTIONS[name](T, x), np.full(shape, 0.3))


@exact
def test_used_twice(name: str) -> None:
    same(lambda T, x: FUNCTIONS[name](T, x) * FUNCTIONS[name](T, x * 1), np.array([[0.3, -0.7], [1.6, -2.4]]))


def derivatives(T: Any, f: Callable, x: np.ndarray) -> list[np.ndarray]:
    """The first and the second derivative by a backward pass that is itself recorded."""
    leaf = T.from_numpy(x.copy()).requires_grad_()
    (dx,) = T.autograd.grad(f(T, leaf).sum(), leaf, create_graph=True)
    (ddx,) = T.autograd.grad((dx * dx).sum(), leaf, allow_unused=True) if dx.requires_grad else (None,)
    return [np.array(dx.detach().numpy()), np.zeros_like(x) if ddx is None else np.array(ddx.numpy())]


@exact  # and PyTorch has no second derivative of hardsigmoid
def test_recorded_gradient(name: str) -> None:
    """The backward pass on Tensors is PyTorch's as well, and so is its derivative."""
    f, x = FUNCTIONS[name], np.array([-3.7, -2.2, -0.9, -0.2, 0.3, 0.8, 1.4, 2.9, 4.1])
    for a, b in zip(derivatives(ndl, f, x), derivatives(torch, f, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@every
def test_large(name: str) -> None:
    """The cut into pieces, threads and memory orders change nothing."""
    x = 2 * np.random.default_rng(0).standard_normal((3, 70_001)).astype(np.float32)
    y, dx = value_and_slope(ndl, FUNCTIONS[name], x)
    small = [value_and_slope(ndl, FUNCTIONS[name], x[:, i : i + 1000]) for i in (0, 32_000, 69_001)]
    for i, (part, slope) in zip((0, 32_000, 69_001), small, strict=True):
        np.testing.assert_array_equal(y[:, i : i + 1000], part)
        np.testing.assert_array_equal(dx[:, i : i + 1000], slope)
    turned = ndl.from_numpy(np.ascontiguousarray(x.T)).T.requires_grad_()
    z = FUNCTIONS[name](ndl, turned)
    z.sum().backward()
    np.testing.assert_array_equal(z.detach().numpy(), y)
    np.testing.assert_array_equal(turned.grad.numpy(), dx)


@every
def test_float32_is_as_exact_as_pytorch(name: str) -> None:
    """The error against float64 is at most 4 times PyTorch's own, or a unit in the last place."""
    x = np.linspace(-9, 9, 20_001).astype(np.float32)
    truth = value_and_slope(torch, FUNCTIONS[name], x.astype(np.float64))
    ours, theirs = value_and_slope(ndl, FUNCTIONS[name], x), value_and_slope(torch, FUNCTIONS[name], x)
    for a, b, t in zip(ours, theirs, truth, strict=True):
        scale = max(1.0, np.abs(t).max())
        assert np.abs(a - t).max() <= max(4 * np.abs(b - t).max(), 1.2e-7 * scale)


@every
def test_float16(name: str) -> None:
    x = np.linspace(-4, 4, 101).astype(np.float16)
    y = FUNCTIONS[name](ndl, ndl.from_numpy(x))
    assert y.dtype is ndl.float16
    np.testing.assert_allclose(y.numpy(), FUNCTIONS[name](torch, torch.from_numpy(x)).numpy(), atol=4e-3)


OF_FLOATS = (
    "leaky_relu rrelu hardsigmoid hardswish hardshrink softshrink elu selu celu softplus logsigmoid silu gelu mish"
)


@pytest.mark.parametrize("name", OF_FLOATS.split())
def test_integers_are_refused(name: str) -> None:
    for x in (np.array([1, 2]), np.array([True])):
        message = refused(FUNCTIONS[name], x, error=NotImplementedError)
        assert str(x.dtype) in message


@pytest.mark.parametrize("name", ["threshold", "prelu", "softsign", "tanh", "relu6", *OF_FLOATS.split()])
def test_lists_are_refused(name: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        FUNCTIONS[name](ndl, [1.0, 2.0])


IN_PLACE = "relu_ leaky_relu_ elu_ selu_ celu_ hardtanh_ rrelu_ silu mish hardswish hardsigmoid relu6"


@pytest.mark.parametrize("name", IN_PLACE.split())
def test_in_place(name: str) -> None:
    """The tensor itself is changed; a leaf that wants a gradient is refused; so is what its source kept."""

    def run(T: Any, x: Any) -> Any:
        f = getattr(T.nn.functional, name)
        return f(x) if name.endswith("_") else f(x, inplace=True)

    x = ndl.tensor([-1.0, 2.0])
    assert run(ndl, x) is x
    refused(run, np.array([-1.0, 2.0]))
    refused(lambda T, x: run(T, x.exp()), np.array([-1.0, 2.0]))


@pytest.mark.parametrize("name", ["leaky_relu_", "elu_"])
def test_in_place_with_a_negative_slope_has_no_gradient(name: str) -> None:
    message = refused(lambda T, x: getattr(T.nn.functional, name)(x * 1, -0.5), np.array([-1.0, 2.0]))
    assert "-0.5" in message


MODULES = [
    "ReLU()",
    "ReLU(True)",
    "ReLU6()",
    "ReLU6(True)",
    "LeakyReLU()",
    "LeakyReLU(0.2, True)",
    "PReLU()",
    "PReLU(3, 0.1)",
    "RReLU()",
    "RReLU(0.1, 0.3, True)",
    "Threshold(0.1, 20)",
    "Threshold(0.1, 20, True)",
    "Hardtanh()",
    "Hardtanh(-2, 2, True)",
    "Hardsigmoid(True)",
    "Hardswish(True)",
    "Hardshrink()",
    "Softshrink(0.3)",
    "ELU()",
    "ELU(0.5, True)",
    "CELU()",
    "CELU(2.0, True)",
    "SELU()",
    "SELU(True)",
    "Sigmoid()",
    "Tanh()",
    "Softplus()",
    "Softplus(2, 10)",
    "LogSigmoid()",
    "Tanhshrink()",
    "Softsign()",
    "SiLU()",
    "SiLU(True)",
    "GELU()",
    "GELU('tanh')",
    "Mish(True)",
    "GLU()",
    "GLU(1)",
    "Softmax(1)",
    "Softmin(1)",
    "Softmax2d()",
    "LogSoftmax(-1)",
]


@pytest.mark.parametrize("text", MODULES)
def test_modules_look_like_pytorchs(text: str) -> None:
    ours, theirs = eval(f"ndl.nn.{text}"), eval(f"torch.nn.{text}")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_saved_input_is_watched() -> None:
    """What a gradient needs must not be written to before the backward pass."""
    refused(lambda T, x: _written_after(T, x, T.nn.functional.gelu), np.array([1.0, 2.0]))
    refused(lambda T, x: _written_after(T, x, T.nn.functional.hardtanh), np.array([1.0, 2.0]))


def _written_after(T: Any, x: Any, f: Callable) -> Any:
    h = x * 2
    y = f(h)
    h.add_(1)
    return y


def test_threshold_of_booleans() -> None:
    refused(lambda T, x: T.threshold(x, 1, 0), np.array([True]), error=NotImplementedError)


def test_plain_arrays() -> None:
    """Everything here computes on NumPy's arrays, too."""
    x = np.array([-1.0, 0.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(ndl.nn.functional.silu(x), x / (1 + np.exp(-x)))
        np.testing.assert_allclose(ndl.nn.functional.leaky_relu(x, 0.5), [-0.5, 0, 2])


def test_relu_of_booleans_is_refused() -> None:
    for f in (lambda T, x: T.relu(x), lambda T, x: x.relu_(), lambda T, x: T.nn.ReLU(inplace=True)(x)):
        assert "Boolean inputs not supported" in refused(f, np.array([True]))


def test_gelus_option_has_a_name() -> None:
    refused(lambda T, x: T.nn.functional.gelu(x, "tanh"), np.ones(2), error=TypeError)


PIECEWISE = {
    "relu": lambda T, x: T.nn.functional.relu(x),
    "relu6": lambda T, x: T.nn.functional.relu6(x),
    "leaky_relu": lambda T, x: T.nn.functional.leaky_relu(x),
    "prelu": lambda T, x: T.nn.functional.prelu(x, T.full((1,), 0.2, dtype=T.float64)),
    "hardtanh": lambda T, x: T.nn.functional.hardtanh(x),
    "hardshrink": lambda T, x: T.nn.functional.hardshrink(x),
    "softshrink": lambda T, x: T.nn.functional.softshrink(x),
    "threshold": lambda T, x: T.nn.functional.threshold(x, 0.1, 0.2),
}


@pytest.mark.parametrize("name", PIECEWISE)
def test_gradients_of_piecewise_linear_functions_can_be_differentiated(name: str) -> None:
    def second(T: Any) -> list:
        x = T.linspace(-3, 4, 6, dtype=T.float64).requires_grad_()
        (g,) = T.autograd.grad(PIECEWISE[name](T, x).sum(), x, create_graph=True)
        (g * g).sum().backward()
        return x.grad.tolist()

    assert agree(second) == [0.0] * 6
