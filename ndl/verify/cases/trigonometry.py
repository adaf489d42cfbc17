"""Cases of ``ndl.ops.trigonometry``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def _inside(d: Draw, *shape: int) -> np.ndarray:
    return d.uniform(*shape, low=-0.9, high=0.9)


UNARY = {
    "sin": Draw.normal,
    "cos": Draw.normal,
    "tan": _inside,
    "asin": _inside,
    "acos": _inside,
    "atan": Draw.normal,
    "arcsin": _inside,
    "arccos": _inside,
    "arctan": Draw.normal,
    "sinc": Draw.normal,
    "deg2rad": Draw.normal,
    "rad2deg": Draw.normal,
}


def _unary(name: str) -> None:
    @case(f"ops.trigonometry.{name}")
    def function(d: Draw) -> Program:
        x = UNARY[name](d, *d.shape())
        return Program(lambda T, x: (getattr(T, name)(x), getattr(x, name)()), x)

    @case(f"ops.trigonometry.{name}_")
    def in_place(d: Draw) -> Program:
        return Program(lambda T, x: getattr(x * 1, name + "_")(), UNARY[name](d, *d.shape()))


for _name in UNARY:
    _unary(_name)


@case("ops.trigonometry.sinc.ties")
def sinc_at_zero(d: Draw) -> Program:
    return Program(lambda T, x: T.sinc(x), d.ties(*d.shape()) / 2, numeric=False)


@case("ops.trigonometry.sinc.tiny")
def sinc_near_zero(d: Draw) -> Program:
    """Numbers whose square is 0 in the machine."""
    return Program(lambda T, x: T.sinc(x), d.normal(4) * [1e-200, 1e-170, 1e-9, 1e-3], numeric=False)


@case("ops.trigonometry.atan2.ties")
def atan2_on_the_axes(d: Draw) -> Program:
    """The origin, where there is no slope, points on the axes and on the unit circle."""
    y, x = np.array([0.0, 0, 1, -1, 0, 2, 0.6]), np.array([0.0, 1, 0, 0, -1, 0, 0.8])
    order = d.rng().permutation(7)
    return Program(lambda T, y, x: T.atan2(y, x), y[order], x[order], numeric=False)


@case("ops.trigonometry.atan2")
def atan2(d: Draw) -> Program:
    y, x = d.broadcastable(2, lambda *shape: d.away_from([0], *shape))
    return Program(lambda T, y, x: (T.atan2(y, x), y.arctan2(x)), y, x)


@case("ops.trigonometry.atan2_")
def atan2_in_place(d: Draw) -> Program:
    shape = d.shape()
    return Program(lambda T, y, x: (y * 1).atan2_(x), d.away_from([0], *shape), d.away_from([0], *shape))


@case("ops.trigonometry.hypot")
def hypot(d: Draw) -> Program:
    return Program(lambda T, x, y: (T.hypot(x, y), y.hypot(x)), *d.broadcastable(2))


@case("ops.trigonometry.hypot_")
def hypot_in_place(d: Draw) -> Program:
    shape = d.shape()
    return Program(lambda T, x, y: (x * 1).hypot_(y), d.normal(*shape), d.normal(*shape))
