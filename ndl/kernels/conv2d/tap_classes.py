"""The input gradient of a convolution with stride, as several convolutions without.

In one direction, output i of a convolution with stride s, dilation d and padding p reads with tap k the pixel
h = i·s + k·d - p. Backwards, pixel h gets something from tap k only if s divides h + p - k·d. Pixels h that
differ by a multiple of s therefore see the same taps: those with k·d ≡ h + p (mod s). With t counting the
pixels of one such class, and e = ⌊k·d / s⌋ for its taps,

    dx[h₀ + s·t] = Σ_k W[k] · dy[t + const - e]

is an ordinary convolution of dy with these taps in turned order: no multiplication with a zero, and no
adding up of overlapping windows. For a 3x3 kernel and stride 2 the four classes have 2·2, 2·1, 1·2 and 1·1
taps, together nine.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple


class TapClass(NamedTuple):
    """Pixels of dx that see the same taps of the kernel, in one direction."""

    pixels: slice
    taps: slice | None  # in turned order; None if there are none: dx is zero there
    before: int  # zeros before the first number of dy (negative: as many numbers are left out)
    step: int  # dilation of these taps


def tap_classes(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[TapClass]:
    """The classes of a direction with ``size`` pixels, ``stride`` of them."""
    common = math.gcd(stride, dilation)
    for rest in range(stride):
        taps = [k for k in range(kernel) if k * dilation % stride == rest]
        first = (rest - padding) % stride  # the first pixel of the class
        if taps:
            furthest = (taps[-1] * dilation - rest) // stride
            before = furthest - (first + padding - rest) // stride
            turned = slice(taps[-1], None, -(stride // common))
            yield TapClass(slice(first, size, stride), turned, before, dilation // common)
        else:
            yield TapClass(slice(first, size, stride), None, 0, 1)
