"""Activations with a slope below zero as well: fixed, random or learned.

    LeakyReLU   y = x where x > 0, else a x           dx = dy where x > 0, else a dy
    RReLU       the same with a drawn for each element in training, (l + u)/2 in evaluation
    PReLU       the same with a learned for each channel; da = Σ x dy over the x ≤ 0 of the channel

The gradient at 0 is that of the lower side, as PyTorch's is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.activation_kinked import leak, leak_slope, positive_or
from ndl.kernels.pointwise import pointwise
from ndl.nn.activation import floating, gate, maybe_in_place, mine, number
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import full
from ndl.ops.elementwise import steady
from ndl.ops.promotion import array_of
from ndl.ops.random import default_generator

__all__ = ["LeakyReLU", "PReLU", "RReLU", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "rrelu_"]


class Leaky(ArrayFunction):
    """y = x where x > 0, else a x;  dx = dy where x > 0, else a dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, a: float) -> np.ndarray:
        ctx.a = a
        ctx.save_for_backward(x)
        return leak(x, a)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        a = ctx.a
        if isinstance(dy, np.ndarray):
            return leak_slope(dy, x, a, out=mine(ctx, dy)), None
        return steady(np.where(x > 0, dy, dy * a), x), None


class LeakyInPlace(ArrayFunction):
    """``Leaky`` in x's own memory: as long as a ≥ 0, the result has the sign of x."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, a: float) -> np.ndarray:
        ctx.a = a
        leak(x, a, out=x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        if ctx.a < 0:
            raise RuntimeError(
                f"leaky_relu_ cannot find its gradient with the negative slope {ctx.a}: the result does not tell the "
                "sign of the input. Use leaky_relu, out of place."
            )
        return Leaky.backward(ctx, dy)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x. Gradient: dy where x > 0, else negative_slope · dy. Maas et al. 2013."""
    floating("leaky_relu", input)
    a = number("leaky_relu", "negative_slope", negative_slope)
    return (LeakyInPlace if inplace else Leaky).apply(input, a)


def leaky_relu_(input: Any, negative_slope: float = 0.01) -> Any:
    """``leaky_relu`` written into the tensor's own memory."""
    return leaky_relu(input, negative_slope, inplace=True)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope · x. Any shape."""

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class RRelu(ArrayFunction):
    """y = r x;  dx = r dy, with r constant: 1 where x > 0, else what was drawn."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, r: np.ndarray) -> np.ndarray:
        ctx.r = r
        return pointwise(np.multiply, x, r)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy * ctx.r, None


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """x where x > 0, else r x: r uniform in [lower, upper) in training, (lower + upper)/2 in evaluation. Xu et al. 2015.

    The same seed gives PyTorch's r: one draw for each x ≤ 0. Raises RuntimeError if lower > upper.
    """
    x = floating("rrelu", input)
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, but got {lower} > {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    below = np.asarray(x <= 0)
    r = np.ones(x.shape, x.dtype)
    r[below] = default_generator.uniform(0.0, 1.0, int(np.count_nonzero(below)), np.float64) * (upper - lower) + lower
    return maybe_in_place(lambda x: RRelu.apply(x, r), input, inplace)


def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """``rrelu`` written into the tensor's own memory."""
    return rrelu(input, lower, upper, training, inplace=True)


class RReLU(Module):
    """y = x where x > 0, else r x with r drawn anew for each element while training. Any shape."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PRelu(ArrayFunction):
    """y = x where x > 0, else a x;  dx = dy where x > 0, else a dy;  da = Σ x dy over x ≤ 0. a broadcasts."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, a: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x, a)
        return positive_or(x, x, a * x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, a = ctx.saved_tensors
        need_dx, need_da = ctx.needs_input_grad
        dx = da = None
        if need_dx:
            dx = positive_or(x, dy, a * dy) if isinstance(dy, np.ndarray) else steady(np.where(x > 0, dy, a * dy), x)
        if need_da:
            da = gate(x * dy, x, lambda x: np.logical_not(x > 0))  # summed to the shape of a by the engine
        return dx, da


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else weight · x; weight () or (1) for all, or (C) for dimension 1 of the input. He et al. 2015.

    Gradients: dx = dy where x > 0, else weight · dy; dweight = Σ x dy over the x ≤ 0. Raises RuntimeError for other
    sizes and for two types.
    """
    x, a = array_of(input), array_of(weight)
    for name, value in (("input", x), ("weight", a)):
        if not isinstance(value, np.ndarray):
            raise TypeError(f"prelu(): argument '{name}' must be Tensor, not {type(value).__name__}")
    if x.dtype != a.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {x.dtype} and {a.dtype}; convert one with .to(dtype)"
        )
    floating("prelu", input)
    if a.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {a.ndim}")
    if a.size != 1:
        if x.ndim == 0:
            raise RuntimeError(f"Not allow zero-dim input tensor: prelu got {a.size} weights for a single number")
        channels = x.shape[1] if x.ndim > 1 else 1
        if channels != a.size:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {a.size} and channel "
                f"size = {channels}."
            )
    shape = [1] * x.ndim
    if x.ndim > 1:
        shape[1] = a.size
    return PRelu.apply(input, weight.reshape(shape))


class PReLU(Module):
    """y = x where x > 0, else a x with a learned: one for all (num_parameters = 1) or one for each channel.

    Shapes: input (N, C, …), weight (num_parameters); it starts at ``init``.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Every weight back to ``init``."""
        self.weight.data.fill_(self.init)

    def forward(self, input: Any) -> Any:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
