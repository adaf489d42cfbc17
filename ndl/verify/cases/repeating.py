"""Cases of ``ndl.ops.repeating``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.repeating.repeat")
def repeat(d: Draw) -> Program:
    shape = d.shape(0, 3)
    times = tuple(d.integer(0, 3) for _ in range(len(shape) + d.integer(0, 2)))
    listed = d.boolean()
    return Program(lambda T, x: x.repeat(times) if listed or not times else x.repeat(*times), d.normal(*shape))


@case("ops.repeating.tile")
def tile(d: Draw) -> Program:
    shape = d.shape(0, 3)
    times = tuple(d.size(1, 3) for _ in range(d.integer(0, len(shape) + 1)))
    return Program(lambda T, x: T.tile(x, times), d.normal(*shape))


@case("ops.repeating.repeat_interleave")
def repeat_interleave(d: Draw) -> Program:
    shape = d.shape(1, 3)
    dim = d.choice([None, d.dim(len(shape))])
    times = d.integer(0, 3)
    n = d.normal(*shape).size if dim is None else shape[dim]
    each = d.integers(0, 2, n)
    form = d.integer(0, 2)

    def run(T: Any, x: Any, each: Any) -> Any:
        if form == 0:
            return x.repeat_interleave(times, dim)
        if form == 1:
            return T.repeat_interleave(x, each, dim), T.repeat_interleave(each)
        return T.repeat_interleave(x, T.tensor([times]), dim=dim)

    return Program(run, d.normal(*shape), each)


@case("ops.repeating.repeat_interleave.inner")
def repeat_interleave_inner(d: Draw) -> Program:
    """Each element of an inner dimension as often."""
    times, dim = d.size(1, 3), d.choice([1, -1, -2])
    return Program(lambda T, x: x.repeat_interleave(times, dim), d.normal(d.size(), d.size(), d.size()))


@case("ops.repeating.meshgrid")
def meshgrid(d: Draw) -> Program:
    xs = [d.normal(*d.shape(0, 1)) for _ in range(d.size(1, 3))]
    indexing = d.choice(["ij", "xy"])
    listed = d.boolean()
    return Program(
        lambda T, *xs: tuple(
            g * 2 for g in (T.meshgrid(xs, indexing=indexing) if listed else T.meshgrid(*xs, indexing=indexing))
        ),
        *xs,
    )


@case("ops.repeating.cartesian_prod")
def cartesian_prod(d: Draw) -> Program:
    return Program(lambda T, *xs: T.cartesian_prod(*xs) * 1, *[d.normal(d.size()) for _ in range(d.size(1, 3))])


@case("ops.repeating.combinations")
def combinations(d: Draw) -> Program:
    r, again = d.integer(0, 4), d.boolean()
    return Program(lambda T, x: T.combinations(x, r, again), d.normal(d.size(0, 5)))
