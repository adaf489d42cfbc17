"""Cases of ``ndl.ops.gathering``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


def indexed(d: Draw, low: int = 1) -> tuple[np.ndarray, int, np.ndarray]:
    """A tensor, a dimension of it, and an index into it that may be smaller in the other dimensions."""
    shape = d.shape(0, 3)
    dim = d.dim(len(shape))
    n = shape[dim] if shape else 1
    sizes = [d.integer(low, m) for m in shape]
    if shape:
        sizes[dim] = d.integer(low, 5)
    return d.normal(*shape), dim, d.integers(0, n - 1, *sizes)


@case("ops.gathering.gather")
def gather(d: Draw) -> Program:
    x, dim, i = indexed(d)
    small, name = d.boolean(), d.choice(["dim", "axis"])
    return Program(lambda T, x, i: T.gather(x, **{name: dim}, index=i.int() if small else i), x, i)


@case("ops.gathering.index_select")
def index_select(d: Draw) -> Program:
    shape = d.shape(0, 3)
    dim = d.dim(len(shape))
    n = shape[dim] if shape else 1
    i = d.integers(0, n - 1, *(() if not shape or d.boolean() else (d.size(0, 5),)))
    return Program(lambda T, x, i: T.index_select(x, dim, i), d.normal(*shape), i)


@case("ops.gathering.take")
def take(d: Draw) -> Program:
    x = d.normal(*d.shape(0, 3))
    return Program(lambda T, x, i: T.take(x, i), x, d.integers(-x.size, x.size - 1, *d.shape(0, 3, low=0)))


@case("ops.gathering.take_along_dim")
def take_along_dim(d: Draw) -> Program:
    shape = list(d.shape(1, 3))
    dim = d.dim(len(shape))
    n = shape[dim]
    sizes = [1 if d.integer(0, 3) == 0 else m for m in shape]
    sizes[dim] = d.size(1, 4)
    i, flat = d.integers(0, n - 1, *sizes), d.boolean()
    shape = [1 if d.integer(0, 3) == 0 and j != dim % len(shape) else m for j, m in enumerate(shape)]

    def run(T: Any, x: Any, i: Any) -> Any:
        order = T.argsort(x.detach(), dim)
        x = x.contiguous()  # PyTorch needs it to count through x
        return T.take_along_dim(x, i) if flat else T.take_along_dim(x, i, dim), T.take_along_dim(x, order, dim=dim)

    return Program(run, d.distinct(*shape), i)
