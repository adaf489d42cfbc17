"""Cases of ``ndl.ops.reduction``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def some_dims(d: Draw, ndim: int) -> object:
    """What ``dim`` may be: None, one dimension, a tuple of several, the empty tuple."""
    kind = d.integer(0, 4)
    if kind == 0 or (ndim == 0 and kind > 1):
        return None
    if kind == 1:
        return d.dim(ndim)
    if kind == 2:
        return ()
    chosen = [a if d.boolean() else a - ndim for a in range(ndim) if d.boolean()]
    return tuple(chosen) if d.boolean() else tuple(reversed(chosen))


def with_nan(d: Draw, *shape: int) -> np.ndarray:
    """Normal values, about a third of them nan."""
    x = d.normal(*shape)
    return np.where(d.rng().integers(0, 3, shape) == 0, np.nan, x)


@case("ops.reduction.sum")
def sum_(d: Draw) -> Program:
    x = d.normal(*d.shape())
    dim, keepdim = some_dims(d, x.ndim), d.boolean()
    return Program(lambda T, x: T.sum(x, dim, keepdim), x)


@case("ops.reduction.sum.everything")
def sum_everything(d: Draw) -> Program:
    return Program(lambda T, x: x.sum(), d.normal(*d.shape(low=0)))


@case("ops.reduction.sum.axis")
def sum_axis(d: Draw) -> Program:
    """NumPy's names, and a dtype."""
    x = d.normal(*d.shape(min_dims=1))
    axis = d.dim(x.ndim)

    def run(T, x):  # type: ignore[no-untyped-def]
        return x.sum(axis=axis, keepdims=True), x.sum(axis, dtype=T.float32)

    return Program(run, x, numeric=False, tolerance=1e-6)


@case("ops.reduction.sum.integers")
def sum_of_integers(d: Draw) -> Program:
    shape = d.shape(min_dims=1)
    dim = d.dim(len(shape))
    name = d.choice(["int8", "uint8", "int32", "int64", "bool"])
    x = d.integers(0, 100, *shape)
    return Program(lambda T, x: (x.to(getattr(T, name)).sum(dim), x.to(getattr(T, name)).prod(dim)), x)


@case("ops.reduction.sum.large")
def sum_large(d: Draw) -> Program:
    """Sizes at which the blocks of ``ndl.kernels.summation`` come into play, in every order of the axes."""
    shape = d.choice([(300, 11), (3, 700, 5), (2, 5000), (40, 9, 13), (4500, 2), (7, 3, 6, 30)])
    x = d.normal(*shape)
    dim, order = some_dims(d, len(shape)), d.rng().permutation(len(shape)).tolist()
    return Program(lambda T, x: T.sum(x.permute(*order), dim), x, numeric=False)


@case("ops.reduction.mean")
def mean(d: Draw) -> Program:
    x = d.normal(*d.shape())
    dim, keepdim = some_dims(d, x.ndim), d.boolean()
    return Program(lambda T, x: x.mean(dim, keepdim), x)


@case("ops.reduction.mean.everything")
def mean_everything(d: Draw) -> Program:
    return Program(lambda T, x: x.mean(), d.normal(*d.shape()))


@case("ops.reduction.mean.empty")
def mean_empty(d: Draw) -> Program:
    x = d.normal(*d.shape(min_dims=1, low=0, high=2))
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.mean(dim), x.sum(dim), x.prod(dim), x.mean()), x, numeric=False)


@case("ops.reduction.nansum")
def nansum(d: Draw) -> Program:
    x = with_nan(d, *d.shape())
    dim, keepdim = some_dims(d, x.ndim), d.boolean()
    return Program(lambda T, x: x.nansum(dim, keepdim), x, numeric=False)


@case("ops.reduction.nanmean")
def nanmean(d: Draw) -> Program:
    x = with_nan(d, *d.shape())
    dim, keepdim = some_dims(d, x.ndim), d.boolean()
    return Program(lambda T, x: T.nanmean(x, dim, keepdim), x, numeric=False)


@case("ops.reduction.nanmean.numbers")
def nanmean_of_numbers(d: Draw) -> Program:
    x = d.normal(*d.shape())
    dim = some_dims(d, x.ndim)
    return Program(lambda T, x: (x.nanmean(dim), x.nansum(dim)), x)


@case("ops.reduction.prod")
def prod(d: Draw) -> Program:
    x = d.away_from([0.0], *d.shape())
    dim, keepdim = d.dim(x.ndim), d.boolean()
    return Program(lambda T, x: (T.prod(x, dim, keepdim), x.prod()), x)


@case("ops.reduction.prod.zeros")
def prod_with_zeros(d: Draw) -> Program:
    """No zero, one, two or more along the dimension: all have a derivative, and a second one."""
    x = d.normal(*d.shape(min_dims=1, max_dims=3))
    x = x * (d.rng().integers(0, 3, x.shape) > 0)
    dim = d.dim(x.ndim)
    return Program(lambda T, x: (x.prod(dim), x.prod()), x)


@case("ops.reduction.logsumexp")
def logsumexp(d: Draw) -> Program:
    x = d.normal(*d.shape(min_dims=1)) * d.choice([1, 30])
    dim, keepdim = some_dims(d, x.ndim), d.boolean()
    dim = d.dim(x.ndim) if dim in (None, ()) else dim
    return Program(lambda T, x: T.logsumexp(x, dim, keepdim), x)


@case("ops.reduction.logsumexp.extreme")
def logsumexp_extreme(d: Draw) -> Program:
    """Exponentials far out of range, and infinities of both signs."""
    x = d.rng().choice([-np.inf, -1e300, -800.0, 0.0, 1.0, 800.0, 801.0, 1e300, np.inf], d.shape(min_dims=1))
    dim = d.dim(x.ndim)
    return Program(lambda T, x: x.logsumexp(dim), x, numeric=False)


@case("ops.reduction.all")
def truth(d: Draw) -> Program:
    """all, any and count_nonzero of every type."""
    name = d.choice(["bool", "uint8", "int64", "float32", "float64"])
    x = d.integers(-1, 1, *d.shape(low=0, high=3))
    dim, keepdim = some_dims(d, x.ndim), d.boolean()

    def run(T, x):  # type: ignore[no-untyped-def]
        t = x.to(getattr(T, name))
        return t.all(), t.any(), t.all(dim, keepdim), T.any(t, dim, keepdim), t.count_nonzero(dim)

    return Program(run, x)
