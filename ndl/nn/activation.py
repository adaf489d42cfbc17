"""Activations: functions applied to each element, y_i = f(x_i), so dx_i = dy_i f'(x_i).

Derivations: docs/blocks/relu.md, sigmoid.md, tanh.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.pointwise import keep_nonzero, pointwise
from ndl.nn.module import Module
from ndl.ops.elementwise import keep
from ndl.ops.hyperbolic import sigmoid, tanh

__all__ = ["ReLU", "Sigmoid", "Tanh", "relu", "relu_", "sigmoid", "tanh"]


class Relu(ArrayFunction):
    """y = max(x, 0);  dx = dy where y > 0, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = pointwise(np.maximum, x, 0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return keep_nonzero(dy, y) if isinstance(dy, np.ndarray) else keep(dy, y != 0)


class ReluInPlace(ArrayFunction):
    """x = max(x, 0) in x's own memory; the gradient needs the result only, so nothing is lost."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        pointwise(np.maximum, x, 0, out=x)
        ctx.save_for_backward(x)
        return x

    backward = Relu.backward


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0); the gradient passes where x > 0 and is 0 elsewhere, at x = 0 too. Nair & Hinton 2010."""
    return ReluInPlace.apply(input) if inplace else Relu.apply(input)


def relu_(input: Any) -> Any:
    """``relu`` written into the tensor's own memory."""
    return ReluInPlace.apply(input)


class ReLU(Module):
    """y = max(x, 0) for each element. Any shape. ``inplace=True`` overwrites the input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """y = 1 / (1 + e^−x) for each element;  dx = dy y (1 − y). Any shape."""

    def forward(self, input: Any) -> Any:
        return sigmoid(input)


class Tanh(Module):
    """y = tanh x for each element;  dx = dy (1 − y²). Any shape."""

    def forward(self, input: Any) -> Any:
        return tanh(input)
