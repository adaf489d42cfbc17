"""Where the windows of a pooling lie: what every rung of the ladder has to know, for any number of axes.

Along each axis the window of output place o looks, through its tap a, at the input place

    i = o·stride − padding + a·dilation            o = 0 … output − 1,   a = 0 … kernel − 1

where that lies inside 0 … size − 1; taps outside see nothing. All taps of a window are numbered in the order in
which the window is read, row by row (C order), and that number is what a max pooling remembers of its winner.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

Sizes = tuple[int, ...]


class Windows(NamedTuple):
    """The windows of a pooling; every field has one number for each spatial axis."""

    size: Sizes  # of the input
    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    output: Sizes

    def axis(self, k: int) -> Windows:
        """The windows along axis ``k`` alone."""
        return Windows(*[(field[k],) for field in self])

    @property
    def taps(self) -> int:
        """Taps of one window."""
        return math.prod(self.kernel)

    @property
    def tap_dtype(self) -> np.dtype:
        """The smallest type that can number the taps."""
        return np.min_scalar_type(max(0, self.taps - 1))

    @property
    def disjoint(self) -> bool:
        """True if no input place is seen by two windows."""
        return all(d * (k - 1) < s for k, s, d in zip(self.kernel, self.stride, self.dilation))

    @property
    def tiling(self) -> bool:
        """True if every input place is seen by exactly one window."""
        return self.disjoint and self.inside and all(n == k * o for n, k, o in zip(self.size, self.kernel, self.output))

    @property
    def everything(self) -> bool:
        """True if the only window is the whole input."""
        return self.size == self.kernel and not any(self.padding) and all(d == 1 for d in self.dilation)

    @property
    def inside(self) -> bool:
        """True if no tap of any window lies outside the input."""
        reach = ((o - 1) * s + (k - 1) * d for o, s, k, d in zip(self.output, self.stride, self.kernel, self.dilation))
        return not any(self.padding) and all(r < n for r, n in zip(reach, self.size))

    def with_border(self) -> Windows:
        """The same windows over an input with a border so wide that none is cut off."""
        padded = zip(self.size, self.kernel, self.stride, self.padding, self.dilation, self.output)
        size = tuple(max(n + p, (o - 1) * s + (k - 1) * d + 1) for n, k, s, p, d, o in padded)
        return self._replace(size=size, padding=(0,) * len(size))

    def interior(self) -> tuple[slice, ...]:
        """Where the input lies inside its border."""
        return tuple(slice(p, p + n) for p, n in zip(self.padding, self.size))


class Tap(NamedTuple):
    """One tap of all windows at once: the input places that it sees, and the output places that see through it."""

    number: int
    seen: tuple[slice, ...]
    there: tuple[slice, ...]


@lru_cache(maxsize=256)
def taps_of(w: Windows) -> tuple[Tap, ...]:
    """All taps that see anything, in reading order."""
    found = []
    along = [_axis_taps(*(field[0] for field in w.axis(k))) for k in range(len(w.size))]
    for combination in itertools.product(*along):
        number = 0
        for (a, _, _), k in zip(combination, w.kernel):
            number = number * k + a
        found.append(Tap(number, tuple(c[1] for c in combination), tuple(c[2] for c in combination)))
    return tuple(found)


def _axis_taps(
    size: int, kernel: int, stride: int, padding: int, dilation: int, output: int
) -> list[tuple[int, slice, slice]]:
    found = []
    for a in range(kernel):
        offset = a * dilation - padding
        first = max(0, -(offset // stride))  # the first o with o·stride + offset ≥ 0
        last = min(output, (size - 1 - offset) // stride + 1)
        if first < last:
            start = first * stride + offset
            seen = slice(start, start + (last - first - 1) * stride + 1, stride)
            found.append((a, seen, slice(first, last)))
    return found


@lru_cache(maxsize=256)
def first_taps(w: Windows) -> np.ndarray:
    """For each output place the number of its first tap inside the input. (*output)"""
    number = np.zeros((), np.int64)
    for k, s, p, d, o in zip(w.kernel, w.stride, w.padding, w.dilation, w.output):
        outside = p - s * np.arange(o)
        a = np.clip(-(-outside // d), 0, k - 1)
        number = number[..., None] * k + a
    return number.astype(w.tap_dtype)


def window(w: Windows, place: Sizes) -> tuple[Sizes, tuple[slice, ...]]:
    """For one output place: the tap of each axis at which its window enters the input, and what it sees of it.

    The slices are empty where the window misses the input altogether, as some dilated ones do.
    """
    entry, seen = [], []
    for o, n, k, s, p, d in zip(place, w.size, w.kernel, w.stride, w.padding, w.dilation):
        start = o * s - p
        a = max(0, -(start // d))
        entry.append(a)
        seen.append(slice(start + a * d, min(n, start + (k - 1) * d + 1), d))
    return tuple(entry), tuple(seen)


def largest(seen: np.ndarray, n_axes: int) -> np.ndarray:
    """The place of the largest number along the last ``n_axes`` axes, counted through.

    The first of equal numbers; nan counts as larger than all, and the last nan wins, as in PyTorch.
    """
    lead, window = seen.shape[:-n_axes], seen.shape[-n_axes:]
    flat = seen.reshape(*lead, math.prod(window))
    best = flat.argmax(-1)
    if flat.dtype.kind == "f":
        nan = np.isnan(flat)
        best = np.where(nan.any(-1), flat.shape[-1] - 1 - nan[..., ::-1].argmax(-1), best)
    return best
