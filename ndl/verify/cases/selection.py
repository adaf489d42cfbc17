"""Cases of ``ndl.ops.selection``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.selection.where")
def where(d: Draw) -> Program:
    x, y, c = d.broadcastable(3)
    return Program(lambda T, c, x, y: T.where(c, x, y), c > 0, x, y)


@case("ops.selection.where.numbers")
def numbers(d: Draw) -> Program:
    x = d.normal(*d.shape())

    def run(T: Any, x: Any) -> Any:
        return T.where(x > 0, x, 0.0), T.where(x > 0, 1, x), x.where(x < 1, x * 2), T.where(x > 0, 1.0, 2.0).double()

    return Program(run, x)


@case("ops.selection.where.indices")
def indices(d: Draw) -> Program:
    return Program(lambda T, x: T.where(x > 0), d.ties(*d.shape(min_dims=1)))
