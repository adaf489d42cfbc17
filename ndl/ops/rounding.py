"""Rounding: floor, ceil, round, trunc, frac, and nan_to_num.

Between its jumps a rounded value does not change, so its gradient is 0. ``frac`` is what rounding takes away and
rises with slope 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import Step, dtype_of, refuse
from ndl.ops.promotion import Cast

__all__ = ["ceil", "fix", "floor", "frac", "nan_to_num", "round", "trunc"]


class Floor(Step):
    """y = the largest whole number ≤ x;  dx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        return np.floor(x)


class Ceil(Step):
    """y = the smallest whole number ≥ x;  dx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        return np.ceil(x)


class Trunc(Step):
    """y = x without its fraction;  dx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        return np.trunc(x)


class Round(Step):
    """y = the multiple of 10⁻ᵈ nearest to x, the even one in a tie;  dx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, decimals: int) -> np.ndarray:
        if decimals == 0:
            return np.rint(x)
        scale = 10.0 ** abs(decimals)
        return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


def floor(input: Any) -> Any:
    """The largest whole number ≤ input; integers stay as they are. Gradient: 0."""
    return _rounded("floor", Floor, input)


def ceil(input: Any) -> Any:
    """The smallest whole number ≥ input; integers stay as they are. Gradient: 0."""
    return _rounded("ceil", Ceil, input)


def trunc(input: Any) -> Any:
    """input without its fraction; integers stay as they are. Gradient: 0."""
    return _rounded("trunc", Trunc, input)


fix = trunc


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest number with that many decimals, the even one in a tie; integers stay as they are. Gradient: 0."""
    if decimals != 0:
        refuse("round(decimals)", "biu", input)
    return _rounded("round", Round, input, decimals)


def _rounded(name: str, function: type[ArrayFunction], x: Any, *constants: Any) -> Any:
    refuse(name, "b", x)
    d = dtype_of(x, name)
    return Cast.apply(x, d) if d.kind in "iu" else function.apply(x, *constants)


class Frac(ArrayFunction):
    """y = x − trunc(x);  dx = dy."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> np.ndarray:
        return x - np.trunc(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return dy


def frac(input: Any) -> Any:
    """The fraction of input, with its sign. Gradient: dy. Raises NotImplementedError for integers."""
    refuse("frac", "biu", input)
    return Frac.apply(input)


class NanToNum(ArrayFunction):
    """y = x, but numbers for nan, inf and −inf;  dx = dy where x is finite, else 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, nan: Any, posinf: Any, neginf: Any) -> np.ndarray:
        ctx.finite = finite = np.isfinite(x)
        y = np.array(x)
        if not np.all(finite):
            y[np.isnan(x)] = nan
            y[x == np.inf] = posinf
            y[x == -np.inf] = neginf
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy * ctx.finite, None, None, None


def nan_to_num(input: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """input with nan replaced by ``nan`` (0), inf and −inf by ``posinf`` and ``neginf`` (the type's limits).

    Gradient: dy where input is finite, else 0. Integers stay as they are.
    """
    d = dtype_of(input, "nan_to_num")
    if d.kind not in "f":
        return Cast.apply(input, d)
    limits = np.finfo(d)
    return NanToNum.apply(
        input,
        0.0 if nan is None else nan,
        limits.max if posinf is None else posinf,
        limits.min if neginf is None else neginf,
    )
