"""``Size``: the shape of a tensor, a tuple of ints as ``torch.Size``."""

from __future__ import annotations

import math
from typing import Any

from ndl.autograd.naming import full_name


class Size(tuple):
    """A tensor's shape: a tuple that knows ``numel()`` and stays a Size when sliced or joined."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return full_name(f"Size({list(self)})")

    def __getitem__(self, key: Any) -> Any:
        item = tuple.__getitem__(self, key)
        return Size(item) if isinstance(key, slice) else item

    def __add__(self, other: tuple) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: tuple) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, n: Any) -> Size:
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__
