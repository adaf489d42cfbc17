"""Unfold (im2col) and fold (col2im): all windows of a picture as columns, and columns added back into a picture.

    unfold   y[n, (c, a), o] = x[n, c, o·s − p + a·d]        0 where that lies in the padding
    fold     x[n, c, i]      = Σ y[n, (c, a), o] over the windows o and taps a with o·s − p + a·d = i

Both are linear, and each is the other's transpose: dx of one is the other applied to dy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.pool2d.windows import Windows, taps_of
from ndl.kernels.poolnd import output_size as count_windows
from ndl.nn.module import Module
from ndl.nn.pool_arguments import option
from ndl.ops.dims import values

__all__ = ["Fold", "Unfold", "fold", "unfold"]

Pair = tuple[int, int]
ALL: tuple[Any, ...] = (slice(None), slice(None))  # pictures and channels


class Columns(ArrayFunction):
    """y = the windows of x as columns;  dx = Picture(dy)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, w: Windows) -> np.ndarray:
        ctx.w = w
        N, C = x.shape[:2]
        y = np.empty((N, C, w.taps, *w.output), x.dtype)  # (N, C, kH·kW, Ho, Wo)
        if not w.inside:
            y[...] = 0
        for t in taps_of(w):
            y[ALL + (t.number, *t.there)] = x[ALL + t.seen]
        return y.reshape(N, C * w.taps, math.prod(w.output))

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Picture.apply(dy, ctx.w), None


class Picture(ArrayFunction):
    """x = the columns of y added up at their places;  dy = Columns(dx)."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, w: Windows) -> np.ndarray:
        ctx.w = w
        N, C = y.shape[0], y.shape[1] // w.taps
        y = y.reshape(N, C, w.taps, *w.output)
        x = np.zeros((N, C, *w.size), y.dtype)
        for t in taps_of(w):
            x[ALL + t.seen] += y[ALL + (t.number, *t.there)]
        return x

    @staticmethod
    def backward(ctx: Any, dx: Any) -> tuple:
        return Columns.apply(dx, ctx.w), None


def _check_type(name: str, x: np.ndarray) -> None:
    if x.dtype.kind in "iu":
        raise NotImplementedError(f'"{name}" not implemented for {x.dtype}; convert the input with .float()')


def _windows(name: str, size: Pair, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Windows:
    k, d = option(name, "kernel_size", kernel_size, 2, False), option(name, "dilation", dilation, 2, False)
    p, s = option(name, "padding", padding, 2, False), option(name, "stride", stride, 2, False)
    for what, given, least in (("kernel size", k, 1), ("dilation", d, 1), ("stride", s, 1), ("padding", p, 0)):
        if min(given) < least:
            wanted = "greater than zero" if least else "non-negative"
            raise RuntimeError(f"{name}: {what} should be {wanted}, but got {given}")
    output = count_windows(size, k, s, p, d)
    if min(output) < 1:
        raise RuntimeError(
            f"{name}: Given spatial size {size}, kernel_size={k}, dilation={d}, padding={p}, stride={s}, calculated shape "
            f"of the array of sliding blocks as {output}, but its components must be at least one."
        )
    return Windows(size, k, s, p, d, output)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """All windows of a picture as columns: (N, C, H, W) -> (N, C·kH·kW, L), L = the number of windows.

    An input without N is taken as one sample. Gradient: ``fold`` of dy, since a pixel in several windows gets the sum
    of their gradients. Raises RuntimeError for shapes or options that do not fit.
    """
    x = values(input, "unfold")
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise RuntimeError(
            "unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input, but got: {list(x.shape)}"
        )
    _check_type("unfold", x)
    if x.ndim == 3:
        return unfold(input[None], kernel_size, dilation, padding, stride)[0]
    return Columns.apply(input, _windows("unfold", x.shape[2:], kernel_size, dilation, padding, stride))


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added up into a picture of ``output_size``: (N, C·kH·kW, L) -> (N, C, H, W).

    Not the inverse of ``unfold`` but its transpose: a pixel in k windows comes back k-fold. An input without N is taken
    as one sample. Gradient: ``unfold`` of dx. Raises RuntimeError for shapes or options that do not fit.
    """
    y = values(input, "fold")
    if y.ndim not in (2, 3) or 0 in y.shape[-2:]:
        raise RuntimeError(
            "fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions, "
            f"but got: {list(y.shape)}"
        )
    _check_type("fold", y)
    if y.ndim == 2:
        return fold(input[None], output_size, kernel_size, dilation, padding, stride)[0]
    h, wd = option("fold", "output_size", output_size, 2, False)
    w = _windows("fold", (h, wd), kernel_size, dilation, padding, stride)
    if y.shape[1] % w.taps:
        raise RuntimeError(
            "fold: Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={y.shape[1]} and kernel_size={w.kernel}."
        )
    if y.shape[2] != math.prod(w.output):
        raise RuntimeError(
            f"fold: Given output_size={w.size}, kernel_size={w.kernel}, dilation={w.dilation}, padding={w.padding}, "
            f"stride={w.stride}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{w.output[0]} * {w.output[1]} = {math.prod(w.output)}, but got input.size(2)={y.shape[2]}."
        )
    return Picture.apply(input, w)


class Unfold(Module):
    """All windows of (N, C, H, W) or (C, H, W) as columns; see ``unfold``."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Any:
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns (N, C·kH·kW, L) or (C·kH·kW, L) added up into a picture; see ``fold``."""

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Any) -> Any:
        return fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
