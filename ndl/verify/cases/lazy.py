"""Cases of ``ndl.nn.lazy``: modules after their first batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ndl.verify.case import Draw, Program, case


def _lazy(name: str, shape: Callable[[Draw], tuple[int, ...]], options: Callable[[Draw], tuple[tuple, dict]]) -> None:
    """A lazy module sees one batch of zeros, then the program."""

    @case(f"nn.lazy.{name}")
    def module(d: Draw) -> Program:
        size = shape(d)
        args, kwargs = options(d)

        def make(T: Any) -> Any:
            m = getattr(T.nn, name)(*args, dtype=T.float64, **kwargs)
            m(T.zeros(size, dtype=T.float64))
            return m

        return Program(lambda T, m, x: m(x), d.normal(*size), module=make)


_lazy("LazyLinear", lambda d: d.shape(1, 3), lambda d: ((d.size(),), {"bias": d.boolean()}))
for _n in (1, 2, 3):
    _lazy(
        f"LazyConv{_n}d",
        lambda d, n=_n: (d.size(1, 2), d.size(1, 2) * 2, *d.shape(n, n, low=2, high=4)),  # type: ignore[misc]
        lambda d: ((4, d.size(1, 2)), {"groups": d.size(1, 2), "bias": d.boolean()}),
    )
    _lazy(
        f"LazyConvTranspose{_n}d",
        lambda d, n=_n: (d.size(1, 2), d.size(1, 2) * 2, *d.shape(n, n, low=2, high=3)),  # type: ignore[misc]
        lambda d: ((4, d.size(1, 2)), {"groups": d.size(1, 2), "stride": d.size(1, 2)}),
    )
    for _kind in ("BatchNorm", "InstanceNorm"):
        _lazy(
            f"Lazy{_kind}{_n}d",
            lambda d, n=_n: (d.size(2, 3), d.size(1, 3), *d.shape(n, n, low=2, high=3)),  # type: ignore[misc]
            lambda d: ((), {"affine": d.boolean(), "momentum": d.choice([0.1, 0.3])}),
        )
