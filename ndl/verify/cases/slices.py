"""Cases of ``ndl.ops.slices``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.slices.narrow")
def narrow(d: Draw) -> Program:
    shape = d.shape(1)
    dim = d.dim(len(shape))
    n = shape[dim]
    start = d.integer(0, n)
    length = d.integer(0, n - start)
    start = start - n if start < n and d.boolean() else start
    return Program(lambda T, x: T.narrow(x, dim, start, length), d.normal(*shape))


@case("ops.slices.select")
def select(d: Draw) -> Program:
    shape = d.shape(1)
    dim = d.dim(len(shape))
    index = d.integer(-shape[dim], shape[dim] - 1)
    return Program(lambda T, x: T.select(x, dim, index), d.normal(*shape))


@case("ops.slices.diagonal")
def diagonal(d: Draw) -> Program:
    shape = d.shape(2)
    d1 = d.integer(0, len(shape) - 1)
    d2 = (d1 + d.integer(1, len(shape) - 1)) % len(shape)
    d2 = d2 - len(shape) if d.boolean() else d2
    offset = d.integer(-3, 3)
    return Program(lambda T, x: T.diagonal(x, offset, d1, d2), d.normal(*shape))


@case("ops.slices.written")
def written_through(d: Draw) -> Program:
    """Writing to a part changes the whole, and the gradient follows."""
    offset = d.integer(-2, 2)
    v = d.normal(3)

    def run(T: Any, x: Any, v: Any) -> Any:
        y = x * 2
        y.diagonal(offset).mul_(v[0])
        y.narrow(1, 1, 2).add_(v[1])
        y.select(0, 2).copy_(v[2])
        return y * y

    return Program(run, d.normal(3, 4), v)
