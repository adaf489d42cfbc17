"""Padding: a border of zeros, of a constant, or of the picture's own values.

A constant border gives nothing back: dx is dy without the border. Every other border repeats values of x, so each
value gets the sum of the gradients of its copies: y_j = x_{source(j)},  dx_i = Σ_{j: source(j) = i} dy_j.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.promotion import array_of

__all__ = ["pad"]


class ConstantPad(ArrayFunction):
    """y = x with a border of ``value`` (negative widths cut off);  dx = dy without the border."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: tuple, value: float) -> np.ndarray:
        ctx.widths = widths
        shape = [n + before + after for n, (before, after) in zip(x.shape, widths)]
        y = np.full(shape, value, x.dtype)
        y[_inside(widths, shape)] = x[_inside([(-a, -b) for a, b in widths], x.shape)]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return ConstantPad.apply(dy, tuple((-a, -b) for a, b in ctx.widths), 0.0), None, None


def _inside(widths: Any, shape: Sequence[int]) -> tuple[slice, ...]:
    """What lies inside a border of these widths; a negative width is no border."""
    return tuple(slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(shape, widths))


def _source(n: int, before: int, after: int, mode: str) -> np.ndarray:
    """Where each element of a padded axis comes from."""
    i = np.arange(-before, n + after)
    if mode == "replicate":
        return i.clip(0, n - 1)
    if mode == "circular":
        return i % n
    return (n - 1) - np.abs((n - 1) - np.abs(i))  # reflected at both ends, the edge itself not repeated


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """A border around the last dimensions: ``pad`` is (left, right) of the last, then of the one before, and so on.

    Modes: 'constant' (``value``, 0 by default; negative widths cut off), 'reflect', 'replicate', 'circular'. Raises
    RuntimeError for an odd number of widths, or a border wider than the mode allows.
    """
    x = array_of(input)
    widths = [int(w) for w in pad]
    if len(widths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {len(widths)} widths: {widths}")
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)]
    if len(pairs) > x.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension, but got {len(widths)} widths "
            f"for an input of {x.ndim} dimensions"
        )
    if mode == "constant":
        full = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
        if any(n + a + b < 0 for n, (a, b) in zip(x.shape, full)):
            raise RuntimeError(f"the padding {widths} cuts off more than the input {list(x.shape)} has")
        return ConstantPad.apply(input, tuple(full), 0.0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode!r}; use constant, reflect, replicate or circular")
    if value is not None and value != 0:
        raise ValueError(f"Padding mode {mode!r} doesn't take in value argument")
    if len(pairs) not in (1, 2, 3) or x.ndim not in (len(pairs) + 1, len(pairs) + 2):
        raise NotImplementedError(
            f"Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: {mode!r} with {len(widths)} "
            f"widths wants {len(pairs) + 1} or {len(pairs) + 2} dimensions, but got shape {list(x.shape)}"
        )
    for k, (before, after) in enumerate(pairs):
        dim = x.ndim - 1 - k
        n = x.shape[dim]
        most = {"reflect": n - 1, "circular": n}.get(mode)
        if most is not None and max(before, after) > most:
            raise RuntimeError(
                f"{mode} padding of {(before, after)} is wider than dimension {dim} of the input {list(x.shape)} allows "
                f"({most})"
            )
        if before or after:
            places = _source(n, max(before, 0), max(after, 0), mode)
            places = places[max(-before, 0) : len(places) - max(-after, 0)]
            input = (
                input.index_select(dim, Tensor._wrap(places)) if isinstance(input, Tensor) else input.take(places, dim)
            )
    return input
