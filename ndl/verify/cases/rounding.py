"""Cases of ``ndl.ops.rounding``. Results whose gradient is 0 are multiplied by x, so that there is one to compare."""

import numpy as np

from ndl.verify.case import Draw, Program, case

HALVES = [k / 2 for k in range(-16, 17)]


def _unary(name: str) -> None:
    @case(f"ops.rounding.{name}")
    def function(d: Draw) -> Program:
        x = d.away_from(HALVES, *d.shape())
        return Program(lambda T, x: (getattr(T, name)(x) * x, getattr(x, name)() + x), x)

    @case(f"ops.rounding.{name}_")
    def in_place(d: Draw) -> Program:
        x = d.away_from(HALVES, *d.shape())
        return Program(lambda T, x: getattr(x * 1, name + "_")() * x, x)

    @case(f"ops.rounding.{name}.ties")
    def ties(d: Draw) -> Program:
        return Program(lambda T, x: getattr(T, name)(x), d.ties(*d.shape()) / 2, numeric=False)


for _name in ("floor", "ceil", "round", "trunc", "fix", "frac"):
    _unary(_name)


@case("ops.rounding.round.decimals")
def decimals(d: Draw) -> Program:
    n = d.choice([1, 2, -1, -2])
    x = 10.0**-n * d.away_from(HALVES, *d.shape())
    return Program(lambda T, x: (T.round(x, decimals=n) * x, (x * 1).round_(decimals=n) * x), x)


@case("ops.rounding.nan_to_num")
def nan_to_num(d: Draw) -> Program:
    x = d.normal(4, 5)
    options = d.choice([{}, {"nan": 2.0}, {"nan": -1.0, "posinf": 7.0}, {"posinf": 3.0, "neginf": -4.0}])
    return Program(lambda T, x: (T.nan_to_num(x, **options), (x * 1).nan_to_num_(**options)), x)


@case("ops.rounding.nan_to_num.special")
def nan_to_num_special(d: Draw) -> Program:
    x = d.rng().choice([np.nan, np.inf, -np.inf, 1.5], (4, 5))
    options = d.choice([{}, {"nan": 2.0}, {"nan": -1.0, "posinf": 7.0}, {"posinf": 3.0, "neginf": -4.0}])
    return Program(lambda T, x: T.nan_to_num(x, **options) / 1e300, x, numeric=False)


@case("ops.rounding.integers")
def integers(d: Draw) -> Program:
    return Program(
        lambda T, n: (T.floor(n), T.ceil(n), T.round(n), T.trunc(n), T.nan_to_num(n)), d.integers(-5, 5, *d.shape())
    )
