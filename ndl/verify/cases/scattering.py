"""Cases of ``ndl.ops.scattering``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.gathering import indexed


def once(d: Draw) -> tuple[np.ndarray, int, np.ndarray]:
    """As ``indexed``, but no place is named twice: where one is, PyTorch's gradient of scatter is wrong."""
    shape = d.shape(1, 3)
    dim = d.dim(len(shape))
    n = shape[dim]
    sizes = [d.integer(1, m) for m in shape]
    i = np.argsort(d.rng().random([n if j == dim % len(shape) else m for j, m in enumerate(sizes)]), axis=dim)
    return d.normal(*shape), dim, i[tuple(slice(0, m) for m in sizes)]


@case("ops.scattering.scatter")
def scatter(d: Draw) -> Program:
    x, dim, i = once(d)
    form = d.integer(0, 2)

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        if form == 0:
            return T.scatter(x, dim, i, 2.5)
        return x.scatter(dim, i, v) if form == 1 else (x * 1).scatter_(dim, i, v)

    return Program(run, x, i, d.normal(*i.shape))


@case("ops.scattering.scatter_add")
def scatter_add(d: Draw) -> Program:
    x, dim, i = indexed(d)
    in_place = d.boolean()

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        return (x * 1).scatter_add_(dim, i, v) if in_place else T.scatter_add(x, dim, i, v)

    return Program(run, x, i, d.normal(*i.shape))


@case("ops.scattering.scatter.combine")
def scatter_combine(d: Draw) -> Program:
    x, dim, i = indexed(d)
    reduce = d.choice(["add", "multiply"])
    return Program(
        lambda T, x, i, v: ((x * 1).scatter_(dim, i, v, reduce=reduce), x.scatter(dim, i, 2, reduce=reduce)),
        x,
        i,
        d.normal(*i.shape),
        constant=(0, 2),  # PyTorch has no gradient here
    )


@case("ops.scattering.scatter_reduce")
def scatter_reduce(d: Draw) -> Program:
    x, dim, i = indexed(d)
    reduce, include_self, in_place = d.choice(["sum", "prod", "mean", "amax", "amin"]), d.boolean(), d.boolean()

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        if in_place:
            return (x * 1).scatter_reduce_(dim, i, v, reduce, include_self=include_self)
        return T.scatter_reduce(x, dim, i, v, reduce, include_self=include_self)

    return Program(run, x, i, d.normal(*i.shape) + 0.1)  # not equal to any x, since equal values are another case


@case("ops.scattering.scatter_reduce.one")
def scatter_reduce_one_gradient(d: Draw) -> Program:
    """A gradient for what is reduced into alone, or for what is reduced."""
    x, dim, i = indexed(d)
    reduce = d.choice(["prod", "prod", "sum", "mean", "amax"])
    run = lambda T, x, i, v: x.scatter_reduce(dim, i, v, reduce)
    return Program(run, x, i, d.normal(*i.shape) + 0.1, constant=(d.choice([0, 2]),))


@case("ops.scattering.scatter_reduce.ties")
def scatter_reduce_ties(d: Draw) -> Program:
    """Equal values share a maximum's gradient; zeros in a product.

    Not with ``include_self=False``: PyTorch then lets a value share with the one that was left out.
    """
    x, dim, i = indexed(d)
    x = d.ties(*x.shape)
    reduce, include_self = d.choice([("prod", True), ("prod", False), ("amax", True), ("amin", True)])
    return Program(
        lambda T, x, i, v: x.scatter_reduce(dim, i, v, reduce, include_self=include_self),
        x,
        i,
        d.ties(*i.shape),
        numeric=False,
    )


@case("ops.scattering.index_add")
def index_add(d: Draw) -> Program:
    shape = list(d.shape(1, 3))
    dim = d.dim(len(shape))
    x, n = d.normal(*shape), shape[dim]
    shape[dim] = d.size(0, 5)
    i = d.integers(0, n - 1, shape[dim])
    alpha, form = d.choice([1, 2, -0.5]), d.boolean()

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        return T.index_add(x, dim, i, v, alpha=alpha) if form else (x * 1).index_add_(dim, i, v, alpha=alpha)

    return Program(run, x, i, d.normal(*shape))


@case("ops.scattering.index_copy")
def index_copy(d: Draw) -> Program:
    shape = list(d.shape(1, 3))
    dim = d.dim(len(shape))
    x, n = d.normal(*shape), shape[dim]
    i = d.rng().permutation(n)[: d.size(0, n)]
    shape[dim] = len(i)
    form = d.boolean()

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        return T.index_copy(x, dim, i, v) if form else (x * 1).index_copy_(dim, i, v)

    return Program(run, x, i, d.normal(*shape))


@case("ops.scattering.index_fill")
def index_fill(d: Draw) -> Program:
    shape = d.shape(1, 3)
    dim = d.dim(len(shape))
    n = shape[dim]
    form = d.integer(0, 2)

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        if form == 0:
            return T.index_fill(x, dim, i, 2.5)
        return x.index_fill(dim, i, v) if form == 1 else (x * 1).index_fill_(dim, i, v)

    return Program(run, d.normal(*shape), d.rng().permutation(n)[: d.size(0, n)], d.normal())


@case("ops.scattering.put")
def put(d: Draw) -> Program:
    x = d.normal(*d.shape(0, 3))
    accumulate, in_place = d.boolean(), d.boolean()
    i = d.rng().permutation(x.size)[: d.size(0, x.size)]
    if accumulate:
        i = d.integers(-x.size, x.size - 1, *d.shape(0, 2))

    def run(T: Any, x: Any, i: Any, v: Any) -> Any:
        return (x * 1).put_(i, v, accumulate) if in_place else T.Tensor.put(x, i, v, accumulate)

    return Program(run, x, i, d.normal(i.size))
