"""Cases of ``ndl.ops.axes``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


def order(d: Draw, n: int) -> list[int]:
    """A permutation of n dimensions, some counted from the end."""
    left = list(range(n))
    taken = [left.pop(d.integer(0, len(left) - 1)) for _ in range(n)]
    return [i - n if d.boolean() else i for i in taken]


@case("ops.axes.transpose")
def transpose(d: Draw) -> Program:
    shape = d.shape(low=0)
    d0, d1 = d.dim(len(shape)), d.dim(len(shape))
    name = d.choice(["transpose", "swapaxes", "swapdims"])
    in_place = d.boolean()

    def run(T: Any, x: Any) -> Any:
        return getattr(x * 1, name + "_")(d0, d1) if in_place else getattr(T, name)(x, d0, d1)

    return Program(run, d.normal(*shape))


@case("ops.axes.permute")
def permute(d: Draw) -> Program:
    shape = d.shape(low=0)
    dims = order(d, len(shape))
    form = d.integer(0, 2)

    def run(T: Any, x: Any) -> Any:
        if form == 0 and dims:
            return x.permute(*dims)
        return x.permute(dims) if form == 1 else T.permute(x, dims=tuple(dims))

    return Program(run, d.normal(*shape))


@case("ops.axes.movedim")
def movedim(d: Draw) -> Program:
    shape = d.shape(1)
    n = d.integer(1, len(shape))
    source, destination = order(d, len(shape))[:n], order(d, len(shape))[:n]
    name = d.choice(["movedim", "moveaxis"])
    several = d.boolean()

    def run(T: Any, x: Any) -> Any:
        f = getattr(T, name)
        return f(x, tuple(source), tuple(destination)) if several else f(x, source[0], destination[0])

    return Program(run, d.normal(*shape))


@case("ops.axes.t")
def t(d: Draw) -> Program:
    in_place = d.boolean()
    return Program(lambda T, x: (x * 1).t_() if in_place else T.t(x), d.normal(*d.shape(max_dims=2)))


@case("ops.axes.properties")
def properties(d: Draw) -> Program:
    name = d.choice(["T", "H", "mT", "mH"])
    shape = d.shape(2, 2 if name in "TH" else 4)
    return Program(lambda T, x: (getattr(x, name), x.adjoint()), d.normal(*shape))
