"""What reductions with more than one result return: tuples whose parts have names, as ``torch.return_types``.

values, indices = x.max(dim=1)          x.max(dim=1).indices
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from ndl.autograd.naming import full_name


def _named(name: str, fields: str) -> Any:
    """A class of tuples that print as ``ndl.return_types.max(\\nvalues=…,\\nindices=…)``."""

    def show(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self))
        return full_name(f"return_types.{name}(\n{parts})")

    base = namedtuple(name, fields)  # type: ignore[misc]
    return type(name, (base,), {"__slots__": (), "__module__": __name__, "__repr__": show})


aminmax = _named("aminmax", "min max")
cummax = _named("cummax", "values indices")
cummin = _named("cummin", "values indices")
kthvalue = _named("kthvalue", "values indices")
max = _named("max", "values indices")
median = _named("median", "values indices")
min = _named("min", "values indices")
mode = _named("mode", "values indices")
nanmedian = _named("nanmedian", "values indices")
sort = _named("sort", "values indices")
topk = _named("topk", "values indices")
