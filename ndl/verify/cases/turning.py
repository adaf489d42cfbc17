"""Cases of ``ndl.ops.turning``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.turning.flip")
def flip(d: Draw) -> Program:
    shape = d.shape(low=0)
    dims = tuple(i - len(shape) if d.boolean() else i for i in range(len(shape)) if d.boolean())
    form = d.integer(0, 1)
    return Program(lambda T, x: T.flip(x, dims) if form or not dims else x.flip(*dims), d.normal(*shape))


@case("ops.turning.flips")
def flips(d: Draw) -> Program:
    return Program(lambda T, x: (T.fliplr(x), T.flipud(x), reversed(x)), d.normal(*d.shape(2)))


@case("ops.turning.roll")
def roll(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dims = tuple(i for i in range(len(shape)) if d.boolean())
    shifts = tuple(d.integer(-7, 7) for _ in dims)
    flat, one = d.integer(-7, 7), d.dim(len(shape))

    def run(T: Any, x: Any) -> Any:
        return T.roll(x, shifts, dims) if dims else T.roll(x, flat), x.roll(flat, one)

    return Program(run, d.normal(*shape))


@case("ops.turning.rot90")
def rot90(d: Draw) -> Program:
    shape = d.shape(2)
    d0 = d.integer(0, len(shape) - 1)
    d1 = (d0 + d.integer(1, len(shape) - 1)) % len(shape)
    k = d.integer(-5, 5)
    return Program(lambda T, x: T.rot90(x, k, [d0, d1]), d.normal(*shape))
