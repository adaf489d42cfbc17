"""Cases of ``ndl.ops.powers``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

UNARY = {
    "square": lambda T, x: T.square(x),
    "sqrt": lambda T, x: T.sqrt(x),
    "rsqrt": lambda T, x: x.rsqrt(),
    "reciprocal": lambda T, x: T.reciprocal(x),
    "square_": lambda T, x: (x * 1).square_(),
    "sqrt_": lambda T, x: (x * 1).sqrt_(),
    "rsqrt_": lambda T, x: (x * 1).rsqrt_(),
    "reciprocal_": lambda T, x: (x * 1).reciprocal_(),
}


def _unary(name: str) -> None:
    @case(f"ops.powers.{name}")
    def one(d: Draw) -> Program:
        return Program(UNARY[name], d.positive(*d.shape()))


for _name in UNARY:
    _unary(_name)


@case("ops.powers.pow")
def pow_tensors(d: Draw) -> Program:
    operands = d.broadcastable(2, d.positive)
    spelling = d.choice([lambda T, x, y: T.pow(x, y), lambda T, x, y: x**y, lambda T, x, y: x.pow(y)])
    return Program(spelling, *operands)


@case("ops.powers.pow.number")
def pow_number(d: Draw) -> Program:
    p = d.choice([0, 1, 2, 3, 4, -1, -2, 0.5, 1.5, -0.5, 2.0])
    x = d.positive(*d.shape())
    if p == int(p) and d.boolean():
        x = np.negative(x)
    return Program(lambda T, x: (T.pow(x, p), x**p), x)


@case("ops.powers.pow.zero")
def pow_zero(d: Draw) -> Program:
    """x^0 does not change with x, and still has a gradient: 0."""

    def run(T: Any, x: Any) -> Any:
        return T.autograd.grad((x**0).sum(), x), T.autograd.grad((x**0.0).sum(), x)

    return Program(run, d.normal(*d.shape()), numeric=False, second=False)


@case("ops.powers.pow.base")
def pow_base(d: Draw) -> Program:
    c = d.choice([2, 0.5, 1, 3.7])
    return Program(lambda T, x: (c**x, T.pow(c, x)), d.normal(*d.shape()))


@case("ops.powers.pow_")
def pow_in_place(d: Draw) -> Program:
    shape = d.shape()
    p = d.choice([2, 3, 0.5])

    def run(T, x, y):
        z = x * 1
        z **= p
        return z, (x * 1).pow_(y), (x * 1).pow_(p)

    return Program(run, d.positive(*shape), d.normal(*shape))


@case("ops.powers.pow.integers")
def pow_integers(d: Draw) -> Program:
    x, y = d.integers(-3, 3, 4, 3), d.integers(-3, 3, 4, 3)
    run = lambda T, x, y: (x**y, x**2, x**0, 2 ** abs(x), x**1.5, x**2.0)
    return Program(run, x, y, tolerance=1e-6)  # float32


@case("ops.powers.pow.ties")
def pow_edges(d: Draw) -> Program:
    return Program(lambda T, x, y: (x**y, x**2, x**0, x**0.5), d.ties(5, 5), d.ties(5, 5), numeric=False)
