"""Cases of ``ndl.ops.quantiles``."""

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import with_nan


@case("ops.quantiles.median")
def median(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim, keepdim = d.dim(x.ndim), d.boolean()
    return Program(lambda T, x: (x.median(), *T.median(x, dim, keepdim), *T.nanmedian(x, dim, keepdim)), x)


@case("ops.quantiles.median.ties")
def median_ties(d: Draw) -> Program:
    x = d.ties(*d.shape(high=9))
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.median(), x.nanmedian(), *x.median(dim), *x.nanmedian(dim)), x, numeric=False)


@case("ops.quantiles.median.nan")
def median_nan(d: Draw) -> Program:
    """At least one number in each line: where all is nan, PyTorch's nanmedian names an arbitrary index."""
    x = with_nan(d, *d.shape(min_dims=1))
    dim = d.dim(x.ndim)
    np.moveaxis(x, dim, 0)[0] = 0.1
    return Program(lambda T, x: (x.median(), x.nanmedian(), *x.median(dim), *x.nanmedian(dim)), x, numeric=False)


@case("ops.quantiles.median.integers")
def median_of_integers(d: Draw) -> Program:
    x = d.integers(-9, 9, *d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.median(), *x.median(dim), x.nanmedian(), *x.mode(dim)), x)


@case("ops.quantiles.mode")
def mode(d: Draw) -> Program:
    x = d.choice([d.ties, d.distinct])(*d.shape())
    dim, keepdim = d.dim(x.ndim), d.boolean()
    return Program(lambda T, x: T.mode(x, dim, keepdim), x, numeric=False)


@case("ops.quantiles.quantile")
def quantile(d: Draw) -> Program:
    x = d.distinct(*d.shape(min_dims=1, max_dims=3))
    q = d.choice([0.0, 0.3, 0.5, 0.81, 1.0])
    dim, keepdim = (d.dim(x.ndim) if d.boolean() else None), d.boolean()
    interpolation = d.choice(["linear", "lower", "higher", "midpoint", "nearest"])
    return Program(
        lambda T, x: (
            T.quantile(x, q, dim, keepdim, interpolation=interpolation),
            T.nanquantile(x, q, dim, keepdim, interpolation=interpolation),
        ),
        x,
    )


@case("ops.quantiles.quantile.several")
def quantile_several(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    q = np.sort(d.uniform(d.size(1, 4), low=0, high=1))
    dim, keepdim = (d.dim(x.ndim) if d.boolean() else None), d.boolean()
    return Program(lambda T, x, q: (x.quantile(q, dim, keepdim), x.nanquantile(q[0], dim)), x, q)


@case("ops.quantiles.nanquantile")
def nanquantile(d: Draw) -> Program:
    x = with_nan(d, *d.shape(min_dims=1))
    q = d.choice([0.0, 0.3, 0.5, 1.0])
    dim, keepdim = d.dim(x.ndim), d.boolean()
    return Program(
        lambda T, x: (x.nanquantile(q, dim, keepdim), x.quantile(q, dim, keepdim).detach()), x, numeric=False
    )
