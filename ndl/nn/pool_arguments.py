"""Arguments of poolings: options for each dimension, and what is said when shapes or types do not fit."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ndl.kernels.pool2d.windows import Sizes, Windows
from ndl.kernels.poolnd import output_size
from ndl.ops.promotion import array_of

WORDS = {1: "one int", 2: "two ints", 3: "three ints"}


def option(name: str, what: str, value: Any, n: int, repeat: bool = True) -> Sizes:
    """An option as one int for each of ``n`` dimensions; with ``repeat`` also one int in a tuple counts for all.

    Raises TypeError for no ints, RuntimeError for a wrong count.
    """
    several = isinstance(value, (tuple, list))
    try:
        values = tuple(operator.index(v) for v in (value if several else (value,)))
    except TypeError:
        raise TypeError(f"{name}(): argument '{what}' must be tuple of ints, not {type(value).__name__}") from None
    if len(values) == 1 and (repeat or not several):
        values *= n
    if len(values) != n:
        raise RuntimeError(f"{name}: {what} must either be a single int, or a tuple of {WORDS[n]}, but got {value}")
    return values


def check_input(name: str, x: np.ndarray, n: int, types: tuple[str, ...] = ("f",), channels: bool = True) -> None:
    """Raise RuntimeError for a wrong number of dimensions or an empty one, NotImplementedError for a type.

    Only the batch may be empty, and the channels where ``channels`` is False. ``types`` are names of types, or
    NumPy's letters for kinds of types.
    """
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got: {list(x.shape)}"
        )
    if 0 in x.shape[x.ndim - n - channels :]:
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, but input has sizes {list(x.shape)}"
        )
    if x.dtype.kind not in types and x.dtype.name not in types:
        raise NotImplementedError(f'"{name}" not implemented for {x.dtype}; convert the input with .float()')


def windows(
    name: str, input: Any, n: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """Where the windows lie. Raises RuntimeError for options that do not make sense, or give no output."""
    size = array_of(input).shape[-n:]
    k = option(name, "kernel_size", kernel, n)
    s = k if stride is None or stride in ((), []) else option(name, "stride", stride, n)
    p, d = option(name, "padding", padding, n), option(name, "dilation", dilation, n)
    if min(k) < 1:
        raise RuntimeError(f"{name}: kernel size should be greater than zero, but got kernel_size={k}")
    if 0 in s:
        raise RuntimeError(f"{name}: stride should not be zero, but got stride={s}")
    if min(s) < 0:
        raise RuntimeError(f"{name}: stride must be greater than zero, but got stride={s}")
    if min(d) < 1:
        raise RuntimeError(f"{name}: dilation must be greater than zero, but got dilation={d}")
    if min(p) < 0:
        raise RuntimeError(f"{name}: padding must be non-negative, but got padding={p}")
    for ki, pi, di in zip(k, p, d):
        if pi > (di * (ki - 1) + 1) // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, but got pad={pi}, kernel_size={ki} and "
                f"dilation={di}"
            )
    output = output_size(size, k, s, p, d, ceil_mode)
    if min(output) < 1:
        raise RuntimeError(
            f"{name}: Given input size: ({'x'.join(map(str, size))}). Calculated output size: "
            f"({'x'.join(map(str, output))}). Output size is too small: use a smaller kernel or dilation, or more padding"
        )
    return Windows(size, k, s, p, d, output)
