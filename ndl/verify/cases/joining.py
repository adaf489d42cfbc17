"""Cases of ``ndl.ops.joining``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("ops.joining.cat")
def cat(d: Draw) -> Program:
    shape = list(d.shape(1))
    dim = d.dim(len(shape))
    xs = []
    for _ in range(d.size(1, 4)):
        shape[dim] = d.size(0, 4)
        xs.append(d.normal(*shape))
    if d.boolean():
        xs.append(np.zeros(0))  # an empty vector is left out, whatever the others' shape
    name = d.choice(["cat", "concat", "concatenate"])
    return Program(lambda T, *xs: getattr(T, name)(xs, dim), *xs)


@case("ops.joining.cat.types")
def cat_types(d: Draw) -> Program:
    kinds = ["int64", "int32", "uint8", "bool", "float32", "float64"]
    a, b = d.choice(kinds), d.choice(kinds)
    x, y = d.integers(0, 3, 2, 2), d.integers(0, 3, 1, 2)
    return Program(
        lambda T, x, y: (T.cat([x.to(getattr(T, a)), y.to(getattr(T, b))]) + 0, T.stack([x.to(getattr(T, b)), x])),
        x,
        y,
        numeric=False,
    )


@case("ops.joining.cat.same")
def cat_twice(d: Draw) -> Program:
    """One tensor in several places: its gradients add up."""
    return Program(lambda T, x, y: T.cat([x, y * x, x], -1) ** 2, *(d.normal(2, 3) for _ in range(2)))


@case("ops.joining.stack")
def stack(d: Draw) -> Program:
    shape = d.shape(low=0, max_dims=3)
    dim = d.dim(len(shape) + 1)
    return Program(lambda T, *xs: T.stack(xs, dim), *[d.normal(*shape) for _ in range(d.size(1, 3))])


@case("ops.joining.stacks")
def stacks(d: Draw) -> Program:
    name = d.choice(["hstack", "vstack", "row_stack", "dstack", "column_stack"])
    shape = d.shape(0, 3)
    xs = [d.normal(*shape) for _ in range(d.size(1, 3))]
    return Program(lambda T, *xs: getattr(T, name)(xs), *xs)


@case("ops.joining.block_diag")
def block_diag(d: Draw) -> Program:
    return Program(lambda T, *xs: T.block_diag(*xs), *[d.normal(*d.shape(0, 2)) for _ in range(d.size(1, 3))])


@case("ops.joining.split")
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


@case("ops.joining.chunk")
def chunk(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dim = d.dim(len(shape))
    chunks = d.size(1, 6)
    name = d.choice(["dim", "axis"])
    return Program(lambda T, x: T.chunk(x, chunks, **{name: dim}), d.normal(*shape))


@case("ops.joining.tensor_split")
def tensor_split(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    dim = d.dim(len(shape))
    where: Any = d.choice([1, 2, 3, (1,), (1, 3), (0, 2, 9), (3, 1), (-2, -1)])
    as_tensor = d.boolean()
    return Program(lambda T, x: T.tensor_split(x, T.tensor(where) if as_tensor else where, dim), d.normal(*shape))


@case("ops.joining.hsplit")
def hsplit(d: Draw) -> Program:
    name, n = d.choice([("hsplit", 1), ("hsplit", 2), ("vsplit", 2), ("dsplit", 3)])
    where: Any = d.choice([2, (1, 2)])
    return Program(lambda T, x: getattr(T, name)(x, where), d.normal(*(4, 2, 6)[-n:]))


@case("ops.joining.unbind")
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
