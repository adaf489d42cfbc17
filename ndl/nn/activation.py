"""Activations that are the identity above a point and constant below it; what all rooms of activations share.

    ReLU        y = max(x, 0)                   dx = dy where x > 0, else 0
    Threshold   y = x where x > θ, else v       dx = dy where x > θ, else 0

The gradient at the corner is that of the lower side, as PyTorch's is. Derivation: docs/blocks/relu.md.

The other rooms: ``activation_leaky`` (a slope below 0), ``activation_hard`` (several straight pieces),
``activation_elu`` (an exponential below 0), ``activation_sigmoid`` and ``activation_gated`` (one smooth curve),
``softmax`` (across elements).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.inplace import assign, check_writable
from ndl.kernels.activation_kinked import keep_if
from ndl.kernels.pointwise import keep_nonzero, pointwise
from ndl.kernels.pointwise import relu as relu_kernel
from ndl.nn.module import Module
from ndl.ops.dims import values
from ndl.ops.elementwise import dtype_of, keep, refuse, steady
from ndl.ops.promotion import array_of

__all__ = ["ReLU", "Threshold", "relu", "relu_", "threshold", "threshold_"]


def floating(name: str, input: Any) -> Any:
    """The input's array. Raises TypeError for what is no tensor, NotImplementedError for integers and booleans."""
    refuse(name, "biu", input)
    return array_of(input)


def number(name: str, argument: str, value: Any) -> float:
    """A Python number. Raises TypeError for anything else, as PyTorch does."""
    if not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name}(): argument '{argument}' must be Number, not {type(value).__name__}")
    return float(value)


def gate(dy: Any, x: Any, test: Any, factor: float = 1) -> Any:
    """dy · factor where ``test(x)``, else exactly 0."""
    if isinstance(dy, np.ndarray):
        return keep_if(dy, x, test, factor)
    return steady(keep(dy * factor, test(x)), x)


def mine(ctx: Any, dy: np.ndarray) -> np.ndarray | None:
    """The memory of dy if backward may write to it."""
    return dy if ctx.owns_grad else None


def curve(ctx: Any, x: np.ndarray, kernel: Callable, *constants: float) -> np.ndarray:
    """y = f(x), and ``ctx.slope`` = f'(x) if it will be needed.

    The two share their exponentials, and the backward pass is left with one product.
    """
    ctx.save_for_backward(x)
    y, slope = kernel(x, *constants, slope=ctx.needs_input_grad[0])
    ctx.slope = slope
    return y


def along(ctx: Any, dy: np.ndarray) -> np.ndarray:
    """dx = dy f'(x)."""
    return pointwise(np.multiply, dy, ctx.slope, out=mine(ctx, dy))


def maybe_in_place(function: Callable, input: Any, inplace: bool) -> Any:
    """In place if wanted, for functions whose gradient needs the old values: a copy of them is kept."""
    if not inplace:
        return function(input)
    check_writable(input)
    return assign(input, function(input))


class Relu(ArrayFunction):
    """y = max(x, 0);  dx = dy where y > 0, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.asarray(relu_kernel(x))  # of a single number, NumPy makes no array
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        if not isinstance(dy, np.ndarray):
            return steady(keep(dy, y != 0), y)
        return keep_nonzero(dy, y, out=mine(ctx, dy))


class ReluInPlace(ArrayFunction):
    """x = max(x, 0) in x's own memory; the gradient needs the result only, so nothing is lost."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        relu_kernel(x, out=x)
        ctx.save_for_backward(x)
        return x

    backward = Relu.backward


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0); the gradient passes where x > 0 and is 0 elsewhere, at x = 0 too. Nair & Hinton 2010.

    Raises RuntimeError for booleans.
    """
    if values(input, "relu").dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu: convert the input, e.g. with .float()")
    return ReluInPlace.apply(input) if inplace else Relu.apply(input)


def relu_(input: Any) -> Any:
    """``relu`` written into the tensor's own memory."""
    return relu(input, True)


class ReLU(Module):
    """y = max(x, 0) for each element. Any shape. ``inplace=True`` overwrites the input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ThresholdFunction(ArrayFunction):
    """y = x where x > θ, else v;  dx = dy where x > θ, else 0. A nan is not ≤ θ and stays."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, θ: float, v: float) -> np.ndarray:
        ctx.θ = θ
        ctx.save_for_backward(x)
        y = x.copy(order="K")
        np.copyto(y, v, where=x <= θ, casting="unsafe")
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        return gate(dy, x, lambda x: np.logical_not(x <= ctx.θ)), None, None


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > threshold, else value. Gradient: dy where x > threshold, else 0."""
    d = dtype_of(input, "threshold")
    refuse("threshold", "b", input)
    if d.kind in "iu":
        threshold, value = int(threshold), int(value)
    return maybe_in_place(lambda x: ThresholdFunction.apply(x, threshold, value), input, inplace)


def threshold_(input: Any, threshold: float, value: float) -> Any:
    """``threshold`` written into the tensor's own memory."""
    return Threshold(threshold, value, inplace=True).forward(input)


class Threshold(Module):
    """y = x where x > threshold, else value. Any shape."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")
