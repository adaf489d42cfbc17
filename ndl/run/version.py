"""``torch.__version__`` of a script: the PyTorch whose interface ndl has, so that its question about versions is answered.

    if torch.__version__ >= "1.9": …       if torch.__version__ > (2, 0): …       torch.__version__.split(".")[0]

As in PyTorch it is a string that compares as versions do ("2.13" is above "2.9") with strings and with tuples of
numbers. ndl's own version stands behind the plus sign, and is ``ndl.version.__version__``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from ndl.version import __version__ as ours
from ndl.version import interface

__all__ = ["VERSION", "TorchVersion"]

_FORM = re.compile(r"v?(\d+(?:\.\d+)*)[-_.]?(?:(a|b|rc|alpha|beta|dev|post)[-_.]?(\d*))?(?:\+(.*))?", re.IGNORECASE)
_STAGE = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3, "": 4, "post": 5}


def _key(version: Any) -> tuple | None:
    """What versions are ordered by: numbers, stage before the release, number of the stage, and what is behind a +."""
    text = version if isinstance(version, str) else ".".join(map(str, version))
    form = _FORM.fullmatch(text.strip())
    if form is None:
        return None
    numbers = [int(n) for n in form[1].split(".")]
    while numbers and numbers[-1] == 0:  # 2.0 is 2.0.0
        numbers.pop()
    return numbers, _STAGE[(form[2] or "").lower()], int(form[3] or 0), form[4] or ""


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def method(self: str, other: Any) -> bool:
        if not isinstance(other, (str, tuple, list)):
            return NotImplemented
        mine, its = _key(self), _key(other)
        return compare(str(self), str(other)) if mine is None or its is None else compare(mine, its)

    return method


class TorchVersion(str):
    """A version as a string; ``<``, ``==``, … compare it as a version with a string or a tuple of numbers."""

    __slots__ = ()
    __lt__ = _compared(operator.lt)
    __le__ = _compared(operator.le)
    __gt__ = _compared(operator.gt)
    __ge__ = _compared(operator.ge)
    __eq__ = _compared(operator.eq)
    __ne__ = _compared(operator.ne)
    __hash__ = str.__hash__


VERSION = TorchVersion(f"{interface}+ndl{ours}")
