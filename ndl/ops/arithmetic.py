"""Arithmetic: add, sub, mul, div and their kin, with PyTorch's broadcasting and type promotion.

Every operation here works element by element, z_i = f(x_i, y_i), so each backward is dx_i = dz_i · ∂f/∂x_i. Where
broadcasting read an element several times, the engine sums its gradients (``ndl.autograd.engine.sum_to_shape``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels.pointwise import pointwise
from ndl.ops.division import rounded_quotient
from ndl.ops.elementwise import Step, dtype_of, elementwise, elementwise_float, refuse, together
from ndl.ops.promotion import array_of, promote

__all__ = [
    "abs",
    "absolute",
    "add",
    "div",
    "divide",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "rsub",
    "sgn",
    "sign",
    "sub",
    "subtract",
    "true_divide",
]


class Add(ArrayFunction):
    """z = x + y;  dx = dz,  dy = dz."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        return pointwise(np.add, x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return dz, dz


class AddInPlace(ArrayFunction):
    """x = x + y in x's own memory;  dx = dz,  dy = dz."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return pointwise(np.add, x, y, out=x)

    backward = Add.backward


class Sub(ArrayFunction):
    """z = x − y;  dx = dz,  dy = −dz."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        if x.dtype.kind == "b":
            raise RuntimeError(_NO_BOOL.format("Subtraction", "-"))
        return np.subtract(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return dz, (-dz if ctx.needs_input_grad[1] else None)


class Mul(ArrayFunction):
    """z = x y;  dx = dz y,  dy = dz x."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        need_dx, need_dy = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_dy else None, y if need_dx else None)  # keep only what will be used
        return np.multiply(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        return (dz * y if ctx.needs_input_grad[0] else None, dz * x if ctx.needs_input_grad[1] else None)


class Div(ArrayFunction):
    """z = x / y;  dx = dz / y,  dy = −dz x / y²."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, y)
        return np.true_divide(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        dx = dz / y
        return dx, (-dx * (x / y) if ctx.needs_input_grad[1] else None)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha · other. Gradients: dz and alpha dz.

    Raises RuntimeError for a fractional ``alpha`` between integers.
    """
    if alpha != 1:
        input, other = _scaled(input, other, alpha)
    return elementwise(Add, input, other)


def adds_in_place(input: Any, other: Any) -> bool:
    """Whether ``input += other`` is one addition into memory: equal shapes and types, as in ``out += shortcut``."""
    return (
        isinstance(other, Tensor)
        and other._array.shape == input._array.shape
        and other._array.dtype == input._array.dtype
    )


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input − alpha · other. Gradients: dz and −alpha dz.

    Raises RuntimeError for booleans, whose difference is ``^``, and for a fractional ``alpha`` between integers.
    """
    x, y = promote(input, other) if alpha == 1 else _scaled(input, other, alpha)
    if (x is not input and _is_bool(input)) or (y is not other and _is_bool(other)):
        raise RuntimeError(_NO_BOOL.format("Subtraction", "-"))
    return together(Sub, x, y)


_NO_BOOL = (
    "{}, the `{}` operator, on a bool tensor is not supported. Use the `~` or `logical_not()` operator to invert a "
    "mask, and `^` or `logical_xor()` for the difference of two masks."
)


def _scaled(x: Any, y: Any, alpha: Any) -> tuple:
    x, y = promote(x, y)
    if isinstance(alpha, float) and array_of(x).dtype.kind not in "fc":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number: "
            f"got {alpha} for {array_of(x).dtype}"
        )
    return x, (y * alpha if isinstance(y, (int, float)) else mul(y, alpha))


def _is_bool(x: Any) -> bool:
    a = array_of(x)
    return isinstance(a, bool) or (isinstance(a, (np.ndarray, np.generic)) and a.dtype.kind == "b")


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other − alpha · input. Gradients: −alpha dz and dz."""
    return sub(other, input, alpha=alpha)


def mul(input: Any, other: Any) -> Any:
    """input · other. Gradients: dz · other and dz · input."""
    return elementwise(Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other, as floats. Gradients: dz / other and −dz · input / other².

    ``rounding_mode`` "floor" or "trunc" rounds the quotient and keeps integers integers; the gradients are 0 then.
    Raises RuntimeError for any other mode, and for integers divided by 0.
    """
    if rounding_mode is not None:
        return rounded_quotient(input, other, rounding_mode)
    return elementwise_float(Div, input, other)


true_divide = divide = div
subtract = sub
multiply = mul


class Neg(ArrayFunction):
    """z = −x;  dx = −dz."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        return np.negative(x)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        return -dz


def neg(input: Any) -> Any:
    """−input. Gradient: −dz. Raises RuntimeError for booleans."""
    if dtype_of(input, "neg").kind == "b":
        raise RuntimeError(_NO_BOOL.format("Negation", "-"))
    return Neg.apply(input)


negative = neg


def positive(input: Any) -> Any:
    """The tensor itself. Raises RuntimeError for booleans."""
    if dtype_of(input, "positive").kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


class Abs(ArrayFunction):
    """z = |x|;  dx = dz sign(x), which is 0 at 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.absolute(x)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dz * sign(x)


def abs(input: Any) -> Any:
    """|input|. Gradient: dz · sign(input), 0 at 0. Raises NotImplementedError for booleans."""
    refuse("abs", "b", input)
    return Abs.apply(input)


absolute = abs


class Sign(Step):
    """z = −1, 0 or 1 (0 for nan);  dx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        if x.dtype.kind == "b":
            return np.array(x)
        return np.subtract(x > 0, x < 0, dtype=x.dtype)


def sign(input: Any) -> Any:
    """−1, 0 or 1 by the sign of input; 0 for nan. Gradient: 0."""
    dtype_of(input, "sign")
    return Sign.apply(input)


sgn = sign
