"""Cases of ``ndl.ops.triangle``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.triangle.tril")
def tril(d: Draw) -> Program:
    name = d.choice(["tril", "triu"])
    k = d.integer(-4, 4)
    form = d.integer(0, 1)

    def run(T: Any, x: Any) -> Any:
        return getattr(T, name)(x, diagonal=k) if form else getattr(x * 1, name + "_")(k)

    return Program(run, d.normal(*d.shape(2, low=0)))


@case("ops.triangle.diag")
def diag(d: Draw) -> Program:
    k = d.integer(-4, 4)
    flat = d.boolean()
    return Program(lambda T, x: T.diagflat(x, k) if flat else T.diag(x, k), d.normal(*d.shape(1, 2)))


@case("ops.triangle.diag_embed")
def diag_embed(d: Draw) -> Program:
    shape = d.shape(1, 3)
    n = len(shape) + 1
    d1 = d.integer(0, n - 1)
    d2 = (d1 + d.integer(1, n - 1)) % n - (n if d.boolean() else 0)
    k = d.integer(-3, 3)
    return Program(lambda T, x: T.diag_embed(x, k, d1, d2), d.normal(*shape))


@case("ops.triangle.trace")
def trace(d: Draw) -> Program:
    return Program(lambda T, x: T.trace(x) * 2, d.normal(*d.shape(2, 2)))


@case("ops.triangle.indices")
def indices(d: Draw) -> Program:
    row, col, offset = d.size(0, 5), d.size(0, 5), d.integer(-5, 5)
    name = d.choice(["tril_indices", "triu_indices"])
    return Program(lambda T: getattr(T, name)(row, col, offset), numeric=False)
