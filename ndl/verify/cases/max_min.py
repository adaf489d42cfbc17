"""Cases of ``ndl.ops.max_min``."""

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import some_dims, with_nan


@case("ops.max_min.max")
def max_along(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim, keepdim = d.dim(x.ndim), d.boolean()
    return Program(lambda T, x: (*T.max(x, dim, keepdim), x.min(dim, keepdim).values), x)


@case("ops.max_min.max.everything")
def max_everything(d: Draw) -> Program:
    return Program(lambda T, x: (x.max(), T.min(x)), d.distinct(*d.shape()))


@case("ops.max_min.max.ties")
def max_ties(d: Draw) -> Program:
    """Along a dimension the first of equal elements takes the gradient; of everything they share it."""
    x = d.ties(*d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.max(), x.min(), *x.max(dim), *x.min(dim)), x, numeric=False)


@case("ops.max_min.max.nan")
def max_nan(d: Draw) -> Program:
    x = with_nan(d, *d.shape())
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.max(), x.min(), *x.max(dim), *x.min(dim)), x, numeric=False)


@case("ops.max_min.max.infinite")
def max_of_infinite_gradient(d: Draw) -> Program:
    """An infinite dy: 0 for what is not the maximum."""
    x, y = d.distinct(*d.shape()), d.distinct(*d.shape())
    return Program(lambda T, x, y: (x.max() * np.inf, y.min() * np.inf), x, y, numeric=False, second=False)


@case("ops.max_min.max.pairwise")
def max_pairwise(d: Draw) -> Program:
    x, y = d.broadcastable(2)
    return Program(lambda T, x, y: (T.max(x, y), x.min(y), x.max(other=y)), x, y)


@case("ops.max_min.amax")
def amax(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim, keepdim = some_dims(d, x.ndim) or (), d.boolean()
    return Program(lambda T, x: (x.amax(dim, keepdim), T.amin(x, dim, keepdim)), x)


@case("ops.max_min.amax.infinite")
def amax_of_infinite_gradient(d: Draw) -> Program:
    """An infinite dy: nan for what is not the maximum, in PyTorch too."""
    return Program(lambda T, x: x.amax() * np.inf, d.distinct(*d.shape()), numeric=False, second=False)


@case("ops.max_min.amax.ties")
def amax_ties(d: Draw) -> Program:
    x = d.ties(*d.shape())
    dim, keepdim = some_dims(d, x.ndim) or (), d.boolean()
    return Program(lambda T, x: (x.amax(dim, keepdim), x.amin(dim, keepdim)), x, numeric=False)


@case("ops.max_min.amax.nan")
def amax_nan(d: Draw) -> Program:
    x = with_nan(d, *d.shape())
    dim = some_dims(d, x.ndim) or ()
    return Program(lambda T, x: (x.amax(dim), x.amin(dim)), x, numeric=False)


@case("ops.max_min.aminmax")
def aminmax(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim, keepdim = (d.dim(x.ndim) if d.boolean() else None), d.boolean()
    return Program(lambda T, x: T.aminmax(x, dim=dim, keepdim=keepdim), x)


@case("ops.max_min.argmax")
def argmax(d: Draw) -> Program:
    x = d.choice([d.ties, d.normal, lambda *shape: with_nan(d, *shape)])(*d.shape())
    dim, keepdim = (d.dim(x.ndim) if d.boolean() else None), d.boolean()
    return Program(lambda T, x: (x.argmax(dim, keepdim), T.argmin(x, dim, keepdim)), x, numeric=False)


@case("ops.max_min.integers")
def integers(d: Draw) -> Program:
    name = d.choice(["int8", "uint8", "int32", "int64", "bool"])
    x = d.integers(0, 5, *d.shape(min_dims=1))
    dim = d.dim(x.ndim)

    def run(T, x):  # type: ignore[no-untyped-def]
        t = x.to(getattr(T, name))
        return t.max(), *t.max(dim), t.amin(dim), *T.aminmax(t, dim=dim), x.argmin(dim)

    return Program(run, x)


@case("ops.max_min.twice")
def twice(d: Draw) -> Program:
    """Used twice before one backward; the input changed in place after an operation that keeps only the places."""
    x = d.distinct(d.size(), d.size())

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        a, b = y.max(1).values, y.max(0).values
        y.add_(1)
        return a, b, y

    return Program(run, x)
