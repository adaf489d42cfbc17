"""Cases of ``ndl.ops.norms``."""

import math

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import some_dims, with_nan

ORDERS = [0, 1, 2, 3, 2.5, 1.5, 0.5, -1, -2.5, math.inf, -math.inf]


@case("ops.norms.norm")
def norm(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    p, dim, keepdim = d.choice([*ORDERS, "fro"]), some_dims(d, x.ndim), d.boolean()
    if p == "fro" and isinstance(dim, tuple) and len(dim) > 2:
        p = 2
    return Program(lambda T, x: T.norm(x, p, dim, keepdim), x)


@case("ops.norms.norm.everything")
def norm_everything(d: Draw) -> Program:
    return Program(lambda T, x: (x.norm(), x.norm(1)), d.normal(*d.shape()))


@case("ops.norms.norm.zeros")
def norm_zeros(d: Draw) -> Program:
    """Kinks: elements that are 0, norms that are 0, ties of the largest."""
    x = d.ties(*d.shape()) * d.integer(0, 1)
    p = d.choice(ORDERS)
    dim = some_dims(d, x.ndim)
    return Program(lambda T, x: x.norm(p, dim), x, numeric=False)


@case("ops.norms.norm.nan")
def norm_nan(d: Draw) -> Program:
    x = with_nan(d, *d.shape())
    p = d.choice(ORDERS)
    dim = some_dims(d, x.ndim)
    return Program(lambda T, x: x.norm(p, dim), x, numeric=False)


@case("ops.norms.dist")
def dist(d: Draw) -> Program:
    x, y = d.broadcastable(2)
    p = d.choice([1, 2, 3, 1.5, math.inf])  # with p = 0 PyTorch's own backward raises
    return Program(lambda T, x, y: T.dist(x, y, p), x, y)
