"""Cases of ``ndl.ops.extrema``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def _apart(d: Draw, n: int) -> list[np.ndarray]:
    """Arrays that broadcast together, no two values nearer than 0.05 even where they meet."""
    arrays = d.broadcastable(n)
    count = sum(a.size for a in arrays)
    values = d.rng().permutation(count) * 0.1 - 0.05 * count + 0.013
    for a in arrays:
        a[...] = values[: a.size].reshape(a.shape)
        values = values[a.size :]
    return arrays


def _binary(name: str) -> None:
    @case(f"ops.extrema.{name}")
    def tensors(d: Draw) -> Program:
        if d.boolean():
            return Program(lambda T, x, y: getattr(T, name)(x, y), *_apart(d, 2))
        return Program(lambda T, x, y: getattr(x, name)(y), *_apart(d, 2))

    @case(f"ops.extrema.{name}.ties")
    def ties(d: Draw) -> Program:
        x, y = d.broadcastable(2, d.ties)
        return Program(lambda T, x, y: getattr(T, name)(x, y), x, y, numeric=False)


for _name in ("maximum", "minimum", "fmax", "fmin"):
    _binary(_name)


@case("ops.extrema.clamp")
def clamp(d: Draw) -> Program:
    low, high = d.choice([(-0.5, 0.7), (None, 0.3), (-0.2, None), (0.5, -0.5), (0, 1)])
    x = d.away_from([k for k in (low, high) if k is not None], *d.shape())
    name = d.choice(["clamp", "clip"])
    return Program(lambda T, x: (getattr(T, name)(x, low, high), getattr(x, name)(min=low, max=high)), x)


@case("ops.extrema.clamp.tensors")
def clamp_tensors(d: Draw) -> Program:
    shape, kind = d.shape(), d.integer(0, 2)
    # PyTorch's backward fails on bounds that are larger than the input, and on two bounds of different shapes.
    x, lo, hi = d.distinct(3, *shape)
    if kind == 0:
        return Program(lambda T, x, lo, hi: T.clamp(x, lo, hi), x, lo, hi)
    lo = lo[0] if shape and d.boolean() else lo
    if kind == 1:
        return Program(lambda T, x, lo: (T.clamp(x, min=lo), T.clamp_min(x, lo)), x, lo)
    return Program(lambda T, x, hi: (T.clamp(x, max=hi), x.clamp_max(hi)), x, lo)


@case("ops.extrema.clamp.ties")
def clamp_ties(d: Draw) -> Program:
    if d.boolean():
        return Program(lambda T, x, lo, hi: T.clamp(x, lo, hi), *d.ties(3, *d.shape()), numeric=False)
    return Program(lambda T, x: (T.clamp(x, -1, 1), T.clamp(x, min=0)), d.ties(*d.shape()), numeric=False)


@case("ops.extrema.clamp.one_bound.ties")
def clamp_ties_with_one_bound(d: Draw) -> Program:
    side = d.choice(["min", "max"])
    return Program(lambda T, x, bound: T.clamp(x, **{side: bound}), *d.ties(2, *d.shape()), numeric=False)


@case("ops.extrema.clamp_")
def clamp_in_place(d: Draw) -> Program:
    x = d.away_from([-0.5, 0.5], *d.shape())
    return Program(
        lambda T, x: (
            (x * 1).clamp_(-0.5, 0.5),
            (x * 1).clip_(max=0.5),
            (x * 1).clamp_min_(-0.5),
            (x * 1).clamp_max_(0.5),
        ),
        x,
    )


@case("ops.extrema.mixed")
def mixed_types(d: Draw) -> Program:
    x, n = d.away_from(range(-9, 10), 3, 4), d.integers(-2, 2, 3, 4)
    return Program(
        lambda T, x, n: (
            T.maximum(x, n),
            T.fmin(n, x),
            T.clamp(x, max=n),
            T.clamp(n, 0, 1),
            T.clamp(n, 0.5),
            T.fmax(n, n),
        ),
        x,
        n,
    )
