"""Activations made of straight pieces: clipped to an interval, or shrunk to zero inside one.

    Hardtanh      y = min(max(x, l), h)                          dx = dy where l < x < h, else 0
    ReLU6         y = min(max(x, 0), 6): Hardtanh of 0 and 6
    Hardsigmoid   y = min(max(x + 3, 0), 6) / 6                  dx = dy/6 where −3 < x < 3, else 0
    Hardswish     y = x min(max(x + 3, 0), 6) / 6                dx = 0, dy (x/3 + ½) from −3 to 3, dy
    Hardshrink    y = 0 where |x| ≤ λ, else x                    dx = dy where |x| > λ, else 0
    Softshrink    y = x − λ above λ, x + λ below −λ, else 0      dx = dy where |x| > λ, else 0

At the corners the gradients are PyTorch's.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.activation_kinked import hardswish as hardswish_kernel
from ndl.kernels.activation_kinked import hardswish_slope
from ndl.kernels.pieces import in_pieces, zeros
from ndl.nn.activation import floating, gate, maybe_in_place, mine, number
from ndl.nn.module import Module
from ndl.ops.elementwise import dtype_of, keep

__all__ = [
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "ReLU6",
    "Softshrink",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "relu6",
    "softshrink",
]


class HardTanh(ArrayFunction):
    """y = min(max(x, l), h);  dx = dy where l < x < h, else 0. A nan lets the gradient pass."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, l: float, h: float) -> np.ndarray:
        ctx.l, ctx.h = l, h
        ctx.save_for_backward(x)
        return clipped(x, l, h)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        l, h = ctx.l, ctx.h
        return gate(dy, x, lambda x: np.logical_not((x <= l) | (x >= h))), None, None


class HardTanhInPlace(ArrayFunction):
    """``HardTanh`` in x's own memory: what was clipped lies on the border now, and gets no gradient either way."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, l: float, h: float) -> np.ndarray:
        ctx.l, ctx.h = l, h
        clipped(x, l, h, out=x)
        ctx.save_for_backward(x)
        return x

    backward = HardTanh.backward


def clipped(x: np.ndarray, l: float, h: float, out: np.ndarray | None = None) -> np.ndarray:
    """x held to [l, h]."""
    return in_pieces(lambda x, y: np.clip(x, l, h, out=y), x, out=out)[0]


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """The input held to [min_val, max_val], also of integers. Gradient: dy strictly inside, else 0.

    Raises ValueError if min_val > max_val, RuntimeError for booleans and for negative limits of an unsigned type.
    """
    d = dtype_of(input, "hardtanh")
    if d.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh; convert the input with .float()")
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, but got {min_val} > {max_val}")
    if d.kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
        if d.kind == "u" and min_val < 0:
            raise RuntimeError(f"cannot do hardtanh on an unsigned type with negative limits: {min_val} to {max_val}")
    return (HardTanhInPlace if inplace else HardTanh).apply(input, min_val, max_val)


def hardtanh_(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """``hardtanh`` written into the tensor's own memory."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6). Gradient: dy where 0 < x < 6, else 0. Krizhevsky 2010."""
    dtype_of(input, "relu6")
    return hardtanh(input, 0.0, 6.0, inplace)


class Hardtanh(Module):
    """y = x held to [min_val, max_val]. Any shape. ``min_value`` and ``max_value`` are the old names."""

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None:
            warnings.warn(
                "keyword argument `min_value` is deprecated and renamed to `min_val`", FutureWarning, stacklevel=2
            )
            min_val = min_value
        if max_value is not None:
            warnings.warn(
                "keyword argument `max_value` is deprecated and renamed to `max_val`", FutureWarning, stacklevel=2
            )
            max_val = max_value
        if not max_val > min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6). Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class HardSigmoid(ArrayFunction):
    """y = min(max(x + 3, 0), 6) / 6;  dx = dy/6 where −3 < x < 3, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)

        def kernel(x: np.ndarray, y: np.ndarray) -> None:
            np.add(x, 3, out=y)
            np.clip(y, 0, 6, out=y)
            y /= 6

        return in_pieces(kernel, x)[0]

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gate(dy, x, lambda x: (x > -3) & (x < 3), 1 / 6)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """min(max(x + 3, 0), 6) / 6. Gradient: dy/6 where −3 < x < 3, else 0. Howard et al. 2019."""
    floating("hardsigmoid", input)
    return maybe_in_place(HardSigmoid.apply, input, inplace)


class Hardsigmoid(Module):
    """y = min(max(x + 3, 0), 6) / 6. Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return hardsigmoid(input, self.inplace)


class HardSwish(ArrayFunction):
    """y = x min(max(x + 3, 0), 6) / 6;  dx = 0 where x ≤ −3, dy (x/3 + ½) where x < 3, dy above."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return hardswish_kernel(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(dy, np.ndarray):
            return hardswish_slope(dy, x, out=mine(ctx, dy))
        return keep(np.where(x < 3, dy * (x / 3 + 0.5), dy), np.logical_not(x <= -3))


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x · hardsigmoid(x). Gradient: 0 up to −3, dy (x/3 + ½) up to 3, dy above. Howard et al. 2019."""
    floating("hardswish", input)
    return maybe_in_place(HardSwish.apply, input, inplace)


class Hardswish(Module):
    """y = x min(max(x + 3, 0), 6) / 6. Any shape."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return hardswish(input, self.inplace)


class HardShrink(ArrayFunction):
    """y = 0 where −λ ≤ x ≤ λ, else x;  dx = dy where y is x, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, λ: float) -> np.ndarray:
        ctx.λ = λ
        ctx.save_for_backward(x)
        return gate(x, x, lambda x: np.logical_not((x >= -λ) & (x <= λ)))

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        return gate(dy, x, lambda x: np.logical_not((x >= -ctx.λ) & (x <= ctx.λ))), None


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 where −lambd ≤ x ≤ lambd, else x. Gradient: dy where x was kept, else 0."""
    floating("hardshrink", input)
    return HardShrink.apply(input, number("hardshrink", "lambd", lambd))


class Hardshrink(Module):
    """y = 0 where −lambd ≤ x ≤ lambd, else x. Any shape."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        return hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class SoftShrink(ArrayFunction):
    """y = x − λ above λ, x + λ below −λ, else 0;  dx = dy where |x| > λ, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, λ: float) -> np.ndarray:
        ctx.λ = λ
        ctx.save_for_backward(x)

        def kernel(x: np.ndarray, y: np.ndarray) -> None:
            np.subtract(x, λ, out=y)
            np.maximum(y, zeros(x), out=y)
            below = x + λ
            np.minimum(below, zeros(x), out=below)
            y += below

        return in_pieces(kernel, x)[0]

    backward = HardShrink.backward


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x − lambd above lambd, x + lambd below −lambd, else 0. Gradient: dy outside, 0 inside. RuntimeError if lambd < 0."""
    x = floating("softshrink", input)
    λ = number("softshrink", "lambd", lambd)
    most = float(np.finfo(x.dtype).max)
    if not 0 <= λ <= most:
        raise RuntimeError(
            f"lambda must be in range [0, {most:g}] for input dtype {as_dtype(x.dtype)}, but found {λ:g}"
        )
    return SoftShrink.apply(input, λ)


class Softshrink(Module):
    """y = x − lambd above lambd, x + lambd below −lambd, else 0. Any shape."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)
