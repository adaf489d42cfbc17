"""Cases of ``ndl.ops.splitting``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.splitting.split")
def split(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dim = d.dim(len(shape))
    n = shape[dim]
    size = d.size(1, 4)
    first = d.integer(0, n)
    form = d.integer(0, 2)

    def run(T: Any, x: Any) -> Any:
        if form == 0:
            return x.split(size, dim)
        sizes = [first, n - first]
        return T.split(x, sizes, dim=dim) if form == 1 else x.split_with_sizes(sizes, dim)

    return Program(run, d.normal(*shape))


@case("ops.splitting.chunk")
def chunk(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dim = d.dim(len(shape))
    chunks = d.size(1, 6)
    name = d.choice(["dim", "axis"])
    return Program(lambda T, x: T.chunk(x, chunks, **{name: dim}), d.normal(*shape))


@case("ops.splitting.tensor_split")
def tensor_split(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dim = d.dim(len(shape))
    where: Any = d.choice([1, 2, 3, (1,), (1, 3), (0, 2, 9), (3, 1), (-2, -1)])
    as_tensor = d.boolean()
    return Program(lambda T, x: T.tensor_split(x, T.tensor(where) if as_tensor else where, dim), d.normal(*shape))


@case("ops.splitting.hsplit")
def hsplit(d: Draw) -> Program:
    name, n = d.choice([("hsplit", 1), ("hsplit", 2), ("vsplit", 2), ("dsplit", 3)])
    where: Any = d.choice([2, (1, 2)])
    return Program(lambda T, x: getattr(T, name)(x, where), d.normal(*(4, 2, 6)[-n:]))


@case("ops.splitting.unbind")
def unbind(d: Draw) -> Program:
    shape = d.shape(1)
    dim = d.dim(len(shape))
    form = d.integer(0, 2)

    def run(T: Any, x: Any) -> Any:
        if form == 0:
            return tuple(x)
        # One part is not used at all: it gets zeros.
        return T.unbind(x, dim) if form == 1 else x.unbind(dim)[0] * 2

    return Program(run, d.normal(*shape))
