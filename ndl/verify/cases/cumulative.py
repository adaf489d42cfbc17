"""Cases of ``ndl.ops.cumulative``."""

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import with_nan


@case("ops.cumulative.cumsum")
def cumsum(d: Draw) -> Program:
    x = d.normal(*d.shape(low=d.integer(0, 1)))
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (T.cumsum(x, dim), x.cumsum(dim=dim, dtype=T.float64)), x)


@case("ops.cumulative.cumsum_")
def cumsum_in_place(d: Draw) -> Program:
    x = d.normal(d.size(), d.size())
    dim = d.dim(2)
    return Program(lambda T, x: ((x * 1).cumsum_(dim), (x * 1).cumprod_(dim)), x)


@case("ops.cumulative.integers")
def integers(d: Draw) -> Program:
    name = d.choice(["int8", "uint8", "int32", "int64", "bool"])
    x = d.integers(0, 3, *d.shape(min_dims=1))
    dim = d.dim(x.ndim)

    def run(T, x):  # type: ignore[no-untyped-def]
        t = x.to(getattr(T, name))
        return t.cumsum(dim), t.cumprod(dim), *t.cummax(dim), *t.cummin(dim), t.diff(dim=dim)

    return Program(run, x)


@case("ops.cumulative.cumprod")
def cumprod(d: Draw) -> Program:
    x = d.away_from([0.0], *d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: x.cumprod(dim), x)


@case("ops.cumulative.cumprod.zeros")
def cumprod_with_zeros(d: Draw) -> Program:
    """One zero or several along the dimension: there is a derivative, and a second one."""
    x = d.normal(*d.shape(max_dims=3))
    x = x * (d.rng().integers(0, 3, x.shape) > 0)
    dim = d.dim(x.ndim)
    line = d.normal(d.size()) * 1.0
    line[:1] = 0
    run = lambda T, x, line, zero: (T.cumprod(x, dim), line.cumprod(0), zero.cumprod(-1))
    return Program(run, x, line, np.zeros(()))


@case("ops.cumulative.logcumsumexp")
def logcumsumexp(d: Draw) -> Program:
    x = d.normal(*d.shape()) * d.choice([1, 5])
    dim = d.dim(x.ndim)
    return Program(lambda T, x: T.logcumsumexp(x, dim), x)


@case("ops.cumulative.logcumsumexp.extreme")
def logcumsumexp_extreme(d: Draw) -> Program:
    """Values that grow by more than an exponential can hold. PyTorch's own backward keeps 6 digits there."""
    x = d.rng().choice([-1000.0, -800.0, 0.0, 1.0, 2.0, 700.0, 1500.0], d.shape(min_dims=1))
    dim = d.dim(x.ndim)
    line = np.array([1.0, 2.0, 700.0, -800.0, 1500.0])
    run = lambda T, x, line: (x.logcumsumexp(dim), line.logcumsumexp(0))
    return Program(run, x, line, numeric=False, tolerance=1e-6)


@case("ops.cumulative.cummax")
def cummax(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (*T.cummax(x, dim), *x.cummin(dim)), x)


@case("ops.cumulative.cummax.ties")
def cummax_ties(d: Draw) -> Program:
    x = d.ties(*d.shape()) if d.boolean() else with_nan(d, *d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (*T.cummax(x, dim), *x.cummin(dim)), x, numeric=False)


@case("ops.cumulative.diff")
def diff(d: Draw) -> Program:
    x = d.normal(*d.shape(min_dims=1))
    dim, n = d.dim(x.ndim), d.integer(0, 3)
    return Program(lambda T, x: T.diff(x, n, dim), x)


@case("ops.cumulative.diff.joined")
def diff_joined(d: Draw) -> Program:
    x = d.normal(*d.shape(min_dims=1, max_dims=3))
    dim = d.dim(x.ndim)
    shape = np.array(x.shape)
    shape[dim] = d.size(1, 3)
    before, after = d.normal(*shape), d.normal(*shape)
    return Program(
        lambda T, x, a, b: (T.diff(x, dim=dim, prepend=a, append=b), x.diff(dim=dim, append=b)), x, before, after
    )
