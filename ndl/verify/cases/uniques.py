"""Cases of ``ndl.ops.uniques``."""

from ndl.verify.case import Draw, Program, case


@case("ops.uniques.unique")
def unique(d: Draw) -> Program:
    x = d.ties(*d.shape(low=d.integer(0, 1)))
    return Program(
        lambda T, x: (
            T.unique(x.detach()),
            T.unique(x.detach(), return_inverse=True, return_counts=True),
            x.detach().long().unique(return_counts=True),
        ),
        x,
        numeric=False,
    )


@case("ops.uniques.unique.dim")
def unique_slices(d: Draw) -> Program:
    x = d.integers(0, 1, *d.shape(min_dims=1, max_dims=3))
    dim = d.dim(x.ndim)
    return Program(lambda T, x: T.unique(x, True, True, True, dim), x)


@case("ops.uniques.unique_consecutive")
def unique_consecutive(d: Draw) -> Program:
    x = d.integers(0, 1, *d.shape(min_dims=1, max_dims=3))
    dim = d.dim(x.ndim)
    return Program(
        lambda T, x: (
            T.unique_consecutive(x, True, True),
            x.unique_consecutive(return_inverse=True, return_counts=True, dim=dim),
            x.unique_consecutive(dim=dim),
        ),
        x,
    )


@case("ops.uniques.isin")
def isin(d: Draw) -> Program:
    x, tests = d.integers(-3, 3, *d.shape()), d.integers(-3, 3, d.integer(0, 4))
    number, invert = d.integer(-3, 3), d.boolean()
    return Program(
        lambda T, x, tests: (
            T.isin(x, tests, invert=invert),
            T.isin(x, number),
            T.isin(number, tests),
            T.isin(x.double(), tests),
        ),
        x,
        tests,
    )
