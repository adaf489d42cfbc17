"""Padding: a border of zeros, of a constant, or of the picture's own values, in 1 to 3 (or any number of) dimensions.

    constant    v v | a b c d | v v
    reflect     c b | a b c d | c b        mirrored at the edge, which is not repeated
    replicate   a a | a b c d | d d        the edge repeated
    circular    c d | a b c d | a b        wrapped around

A constant border gives nothing back: dx is dy without the border. Every other border repeats values of x, so each
value gets the sum of the gradients of its copies: y_j = x_{source(j)},  dx_i = Σ_{j: source(j) = i} dy_j.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.nn.module import Module
from ndl.ops.elementwise import dtype_of
from ndl.ops.promotion import array_of

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "pad",
]

Widths = tuple[tuple[int, int], ...]  # (before, after) of each dimension


class ConstantPad(ArrayFunction):
    """y = x with a border of ``value`` (negative widths cut off);  dx = dy without the border."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: Widths, value: float) -> np.ndarray:
        ctx.widths = widths
        y = np.empty_like(x, shape=_padded(x.shape, widths))  # in x's order of memory
        inside = _inside(widths, y.shape)
        y[inside] = x[_inside(_opposite(widths), x.shape)]
        for k, s in enumerate(inside):  # the border: of each dimension, what the dimensions before have left
            y[(*inside[:k], slice(0, s.start))] = value
            y[(*inside[:k], slice(s.stop, None))] = value
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return ConstantPad.apply(dy, _opposite(ctx.widths), 0.0), None, None


class CopyPad(ArrayFunction):
    """y_j = x_{source(j)};  dx_i = Σ_{j: source(j) = i} dy_j, which is ``CopyFold``. Widths of 0 or more."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: Widths, mode: str) -> np.ndarray:
        ctx.widths, ctx.mode = widths, mode
        y = np.empty_like(x, shape=_padded(x.shape, widths))
        inside = _inside(widths, y.shape)
        y[inside] = x
        for k, n in enumerate(x.shape):  # one dimension after the other; together they make the corners
            part = y[(*[slice(None)] * (k + 1), *inside[k + 1 :])]
            for border, source in _copies(mode, n, *widths[k]):
                part[_along(k, border)] = part[_along(k, source)]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return CopyFold.apply(dy, ctx.widths, ctx.mode), None, None


class CopyFold(ArrayFunction):
    """x_i = Σ_{j: source(j) = i} y_j: every border is added to where it was copied from;  dy_j = dx_{source(j)}."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, widths: Widths, mode: str) -> np.ndarray:
        ctx.widths, ctx.mode = widths, mode
        x = y.copy(order="K")
        for k, (before, after) in enumerate(widths):
            n = y.shape[k] - before - after
            for border, source in _copies(mode, n, before, after):
                values = x[_along(k, border)]
                x[_along(k, source)] += values.sum(k, keepdims=True) if mode == "replicate" else values
            x = x[_along(k, slice(before, before + n))]
        return x

    @staticmethod
    def backward(ctx: Any, dx: Any) -> tuple:
        return CopyPad.apply(dx, ctx.widths, ctx.mode), None, None


def _copies(mode: str, n: int, before: int, after: int) -> list[tuple[slice, slice]]:
    """(border, source) within a padded dimension whose inside is [before, before + n)."""
    first, end = before, before + n
    pairs = []
    if mode == "reflect":
        last = end - 2 - after
        pairs = [(2 * first, first, -1), (end - 2, last if last >= 0 else None, -1)]
    elif mode == "replicate":
        pairs = [(first, first + 1, 1), (end - 1, end, 1)]
    else:
        pairs = [(n, end, 1), (first, first + after, 1)]
    borders = slice(0, before), slice(end, end + after)
    return [(b, slice(*source)) for b, source, width in zip(borders, pairs, (before, after), strict=True) if width]


def _along(k: int, s: slice) -> tuple[slice, ...]:
    """Index of a slice along dimension k."""
    return (*[slice(None)] * k, s)


def _padded(shape: Sequence[int], widths: Widths) -> tuple[int, ...]:
    return tuple([n + before + after for n, (before, after) in zip(shape, widths, strict=True)])


def _opposite(widths: Widths) -> Widths:
    return tuple([(-before, -after) for before, after in widths])


def _inside(widths: Widths, shape: Sequence[int]) -> tuple[slice, ...]:
    """What lies inside a border of these widths; a negative width is no border."""
    return tuple([slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(shape, widths, strict=True)])


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """A border around the last dimensions: ``pad`` is (left, right) of the last, then of the one before, and so on.

    Modes: 'constant' (``value``, 0 by default; any number of dimensions), 'reflect', 'replicate', 'circular' (the last
    1, 2 or 3, with one or two dimensions before them). Negative widths cut off. Gradient: dx is the sum of dy over the
    copies of x. Raises RuntimeError for an odd number of widths, for a border wider than the mode allows and for a
    ``value`` of another mode, NotImplementedError for an unknown mode and for another number of dimensions.
    """
    dtype_of(input, "pad")
    x = array_of(input)
    flat = _integers(pad)
    if len(flat) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {len(flat)} widths: {flat}")
    if len(flat) > 2 * x.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(flat)} and input of dimension {x.ndim}"
        )
    pairs = list(zip(flat[::2], flat[1::2], strict=True))[::-1]
    widths = (*[(0, 0)] * (x.ndim - len(pairs)), *pairs)
    if mode == "constant":
        if any(n + min(before, 0) + min(after, 0) < 0 for n, (before, after) in zip(x.shape, widths)):
            raise RuntimeError(f"the padding {flat} cuts off more than the input {list(x.shape)} has")
        return ConstantPad.apply(input, widths, 0.0 if value is None else value)
    _check(x, widths, len(pairs), mode, value)
    more = tuple([(max(before, 0), max(after, 0)) for before, after in widths])
    less = tuple([(min(before, 0), min(after, 0)) for before, after in widths])
    if mode == "circular":  # what is cut off does not come back on the other side; it does in a mirror
        return CopyPad.apply(_cut(input, less), more, mode)
    return _cut(CopyPad.apply(input, more, mode), less)


def _cut(x: Any, widths: Widths) -> Any:
    return ConstantPad.apply(x, widths, 0.0) if any(a or b for a, b in widths) else x


def _integers(pad: Any) -> list[int]:
    try:
        return [operator.index(w) for w in pad]
    except TypeError:
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {pad!r}") from None


def _check(x: np.ndarray, widths: Widths, n: int, mode: str, value: float | None) -> None:
    """Raise PyTorch's errors for what the modes that copy cannot do."""
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}; use constant, reflect, replicate or circular")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument, but got {value}')
    if n not in (1, 2, 3) or x.ndim not in (n + 1, n + 2):
        raise NotImplementedError(
            f"Padding size {2 * n} is not supported for {x.ndim}D input tensor. Non-constant padding is of the last 1, "
            "2 or 3 dimensions, with a channel dimension and perhaps a batch dimension before them."
        )
    if mode != "circular" and 0 in x.shape[x.ndim - n - 1 :]:
        raise RuntimeError(f"Expected an input in which only the batch size may be 0, but got: {list(x.shape)}")
    for dim, (size, (before, after)) in enumerate(zip(x.shape, widths, strict=True)):
        most = {"reflect": size - 1, "circular": size + min(before, after, 0)}.get(mode)
        if most is not None and max(before, after, 0) > max(most, 0):
            raise RuntimeError(
                f"{mode} padding {(before, after)} is too wide: Padding size should be at most {max(most, 0)} at "
                f"dimension {dim} of input {list(x.shape)}"
            )
    sizes = _padded(x.shape, widths)[x.ndim - n :]
    if min(sizes) < 0 or (mode != "circular" and max(sizes) < 1):
        raise RuntimeError(f"input {list(x.shape)} is too small: the padding {widths} leaves {list(sizes)}")


# -- Modules -----------------------------------------------------------------------------------------------------


class _Pad(Module):
    """``pad`` of the last ``dims`` dimensions; one number stands for all widths."""

    dims: int
    mode: str

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Any) -> Any:
        return pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A border of ``value`` around the last dimension; ``padding`` is one width or (left, right)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """A border of ``value`` around the last 2 dimensions; one width or (left, right, top, bottom)."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A border of ``value`` around the last 3 dimensions; one width or (left, right, top, bottom, front, back)."""

    dims = 3


class _ZeroPad(_Pad):
    mode = "constant"


class ZeroPad1d(_ZeroPad):
    """A border of zeros around the last dimension; ``padding`` is one width or (left, right)."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """A border of zeros around the last 2 dimensions; one width or (left, right, top, bottom)."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """A border of zeros around the last 3 dimensions; one width or (left, right, top, bottom, front, back)."""

    dims = 3


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """The last dimension mirrored at its edges. (C, W) or (N, C, W)."""

    dims = 1


class ReflectionPad2d(_ReflectionPad):
    """The last 2 dimensions mirrored at their edges. (C, H, W) or (N, C, H, W)."""

    dims = 2


class ReflectionPad3d(_ReflectionPad):
    """The last 3 dimensions mirrored at their edges. (C, D, H, W) or (N, C, D, H, W)."""

    dims = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """The edges of the last dimension repeated. (C, W) or (N, C, W)."""

    dims = 1


class ReplicationPad2d(_ReplicationPad):
    """The edges of the last 2 dimensions repeated. (C, H, W) or (N, C, H, W)."""

    dims = 2


class ReplicationPad3d(_ReplicationPad):
    """The edges of the last 3 dimensions repeated. (C, D, H, W) or (N, C, D, H, W)."""

    dims = 3


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Any) -> Any:
        least = self.dims + 1
        if input.ndim not in (least, least + 1):
            raise ValueError(f"expected {least}D or {least + 1}D input (got {input.ndim}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """The last dimension wrapped around. (C, W) or (N, C, W)."""

    dims = 1


class CircularPad2d(_CircularPad):
    """The last 2 dimensions wrapped around. (C, H, W) or (N, C, H, W)."""

    dims = 2


class CircularPad3d(_CircularPad):
    """The last 3 dimensions wrapped around. (C, D, H, W) or (N, C, D, H, W)."""

    dims = 3
