"""Cases of ``ndl.ops.comparison``: results without gradients, so no differences are taken."""

import operator
from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

OPERATORS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
LONG = {
    "eq": "eq",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _binary(name: str) -> None:
    @case(f"ops.comparison.{name}")
    def tensors(d: Draw) -> Program:
        x, y = d.broadcastable(2, d.ties)
        c = d.choice([0, 1.0, -0.5, True])

        def run(T: Any, x: Any, y: Any) -> tuple:
            f, g, sign = getattr(T, name), getattr(T, LONG[name]), OPERATORS[name]
            return f(x, y), g(x, c), sign(x, y), sign(x, c), sign(c, y), getattr(x, name)(y)

        return Program(run, x, y, numeric=False)

    @case(f"ops.comparison.{name}.integers")
    def integers(d: Draw) -> Program:
        n, m, x = d.integers(-2, 2, 3, 4), d.mask(3, 4), d.ties(4)
        c = d.choice([0, 1, 0.5, -1, 2**40])
        f = OPERATORS[name]
        return Program(lambda T, n, m, x: (f(n, m), f(n, x), f(m, x), f(n, c), f(m, c)), n, m, x, numeric=False)

    @case(f"ops.comparison.{name}_")
    def in_place(d: Draw) -> Program:
        x, y = d.ties(3, 4), d.ties(4)
        return Program(lambda T, x, y: getattr(x * 1, name + "_")(y) + x, x, y, numeric=False)


for _name in OPERATORS:
    _binary(_name)


@case("ops.comparison.isclose")
def isclose(d: Draw) -> Program:
    shape = d.shape()
    x = d.ties(*shape)
    y = x + d.rng().choice([0, 1e-9, 1e-6, 1e-4, 1.0], shape)
    options = d.choice([{}, {"rtol": 1e-3}, {"atol": 0.5}, {"rtol": 0.0, "atol": 0.0}])
    return Program(lambda T, x, y: (T.isclose(x, y, **options), y.isclose(x)), x, y, numeric=False)


@case("ops.comparison.isclose.special")
def isclose_special(d: Draw) -> Program:
    values = [np.nan, np.inf, -np.inf, 1.0, 0.0, 1e300]
    x, y = d.rng().choice(values, (6, 6)), d.rng().choice(values, (6,))
    same = d.boolean()
    return Program(lambda T, x, y: T.isclose(x, y, equal_nan=same), x, y, numeric=False)


@case("ops.comparison.isclose.integers")
def isclose_integers(d: Draw) -> Program:
    x, y = d.integers(-3, 3, 3, 4), d.integers(-3, 3, 3, 4)
    return Program(lambda T, x, y: (T.isclose(x, y), T.isclose(x, y, atol=1)), x, y)


@case("ops.comparison.truth")
def truth(d: Draw) -> Program:
    x, y = d.ties(2), d.ties(2)

    def run(T: Any, x: Any, y: Any) -> Any:
        return T.tensor([T.equal(x, y), T.allclose(x, y), T.allclose(x, y, atol=1.0), T.is_nonzero(x[0]), x.equal(x)])

    return Program(run, x, y, numeric=False)


TESTS = ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit"]


@case("ops.comparison.tests")
def tests(d: Draw) -> Program:
    x = d.rng().choice([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.5, 2.0], d.shape())
    n, m = d.integers(-2, 2, *d.shape()), d.mask(3)
    return Program(
        lambda T, x, n, m: tuple(getattr(T, name)(v) for name in TESTS for v in (x, n, m)),
        np.asarray(x),
        n,
        m,
        numeric=False,
    )
