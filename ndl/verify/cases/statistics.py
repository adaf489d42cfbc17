"""Cases of ``ndl.ops.statistics``."""

from typing import Any

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import some_dims


def spread(d: Draw) -> tuple:
    """An input, dimensions with at least two elements in all, and the other options."""
    x = d.normal(*d.shape(min_dims=1, low=2, high=4))
    options: dict[str, Any] = {"keepdim": d.boolean()}
    if d.boolean():
        options["correction"] = d.choice([0, 1, 0.5, -1])
    dim = some_dims(d, x.ndim)
    return x, (None if dim == () else dim), options


@case("ops.statistics.var")
def var(d: Draw) -> Program:
    x, dim, options = spread(d)
    return Program(lambda T, x: T.var(x, dim, **options), x)


@case("ops.statistics.std")
def std(d: Draw) -> Program:
    x, dim, options = spread(d)
    return Program(lambda T, x: T.std(x, dim, **options), x)


@case("ops.statistics.var_mean")
def var_mean(d: Draw) -> Program:
    x, dim, options = spread(d)
    return Program(lambda T, x: (*T.var_mean(x, dim, **options), *T.std_mean(x, dim, **options)), x)


@case("ops.statistics.unbiased")
def unbiased(d: Draw) -> Program:
    """The older form of the arguments."""
    x = d.normal(*d.shape(min_dims=1, low=2, high=4))
    dim, flag = d.dim(x.ndim), d.boolean()
    return Program(
        lambda T, x: (x.var(flag), x.std(unbiased=flag), x.var(dim, flag), x.std(dim, flag, True), x.std()), x
    )


@case("ops.statistics.few")
def few(d: Draw) -> Program:
    """As many elements as the correction, or fewer: nan or infinity; and a spread of 0, where std has gradient 0."""
    n = d.integer(1, 3)
    x = d.ties(n, d.size()) if d.boolean() else d.normal(n, d.size()) * 0 + 2
    correction = d.integer(0, 3)
    return Program(lambda T, x: (x.var(0, correction=correction), x.std(0, correction=correction)), x, numeric=False)
