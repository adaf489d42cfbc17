"""One number for all dimensions, or one for each: what layers of one's own call ``_pair(kernel_size)`` for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

__all__ = ["ntuple", "pair", "quadruple", "reverse_repeat_tuple", "single", "triple"]


def ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple]:
    """A function that makes ``n`` equal numbers of one, and a tuple of several."""

    def parse(x: Any) -> tuple:
        return tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))

    parse.__name__ = name
    return parse


single = ntuple(1, "_single")
pair = ntuple(2, "_pair")
triple = ntuple(3, "_triple")
quadruple = ntuple(4, "_quadruple")


def reverse_repeat_tuple(t: Sequence, n: int) -> tuple:
    """(a, b) → (b, b, a, a) for n = 2: the paddings of a convolution as ``F.pad`` takes them."""
    return tuple(x for x in reversed(t) for _ in range(n))
