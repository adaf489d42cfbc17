"""Division that rounds, and what remains of it: floor_divide, remainder, fmod.

With q the rounded quotient of x and y, the rest is r = x − q y. Rounding down (floor) gives ``remainder``, whose sign
is the divisor's, as Python's %; rounding towards zero (trunc) gives ``fmod``, whose sign is the dividend's, as C's %.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import Step, refuse, together
from ndl.ops.promotion import array_of, promote

__all__ = ["floor_divide", "fmod", "remainder"]


def _operands(name: str, x: Any, y: Any) -> tuple:
    """Both in one type; integers must not be divided by 0, which floats answer with inf and nan."""
    x, y = promote(x, y)
    refuse(name, "b", x)
    divisor = array_of(y)
    if array_of(x).dtype.kind in "iu" and not np.all(divisor):
        raise RuntimeError(f"ZeroDivisionError: {name}() of integers by 0; floats give inf or nan")
    return x, y


def truncated_quotient(x: Any, y: Any) -> Any:
    """The quotient without its fraction; that of integers never leaves their type."""
    if x.dtype.kind == "f":
        return np.trunc(x / y)
    q = np.floor_divide(x, y)
    return q + ((q < 0) & (q * y != x))


class FloorQuotient(Step):
    """z = ⌊x / y⌋;  dx = dy = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        return np.floor_divide(x, y)


class TruncQuotient(Step):
    """z = x / y without its fraction;  dx = dy = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        return truncated_quotient(x, y)


def rounded_quotient(x: Any, y: Any, rounding_mode: str) -> Any:
    """x / y rounded down ("floor") or towards zero ("trunc"). Gradients: 0. Raises RuntimeError for other modes."""
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}"
        )
    return together(FloorQuotient if rounding_mode == "floor" else TruncQuotient, *_operands("div", x, y))


class FloorDivide(ArrayFunction):
    """z = ⌊x / y⌋, for which PyTorch defines no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        return np.floor_divide(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> Any:
        raise RuntimeError(
            "derivative for floor_divide is not implemented: div(…, rounding_mode='floor') has one, which is 0"
        )


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋, the operator ``//``. No gradient; ``div(…, rounding_mode='floor')`` has one, which is 0.

    Raises RuntimeError for integers divided by 0, and on the way back.
    """
    return together(FloorDivide, *_operands("floor_divide", input, other))


class Remainder(ArrayFunction):
    """z = x − y ⌊x / y⌋;  dx = dz,  dy = −dz ⌊x / y⌋."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        if ctx.needs_input_grad[1]:
            ctx.save_for_backward(x, y)
        return np.remainder(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        if not ctx.needs_input_grad[1]:
            return dz, None
        x, y = ctx.saved_tensors
        return dz, -dz * FloorQuotient.apply(x, y)


def remainder(input: Any, other: Any) -> Any:
    """input − other · ⌊input / other⌋, the operator ``%``: the sign is that of ``other``.

    Gradients: dz and −dz · ⌊input / other⌋. Raises RuntimeError for integers divided by 0.
    """
    return together(Remainder, *_operands("remainder", input, other))


class Fmod(ArrayFunction):
    """z = x − y trunc(x / y);  dx = dz,  dy = −dz trunc(x / y)."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> np.ndarray:
        if ctx.needs_input_grad[1]:
            ctx.save_for_backward(x, y)
        return np.fmod(x, y)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        if not ctx.needs_input_grad[1]:
            return dz, None
        x, y = ctx.saved_tensors
        return dz, -dz * TruncQuotient.apply(x, y)


def fmod(input: Any, other: Any) -> Any:
    """input − other · trunc(input / other): the sign is that of ``input``.

    Gradients: dz and −dz · trunc(input / other). Raises RuntimeError for integers divided by 0.
    """
    return together(Fmod, *_operands("fmod", input, other))
