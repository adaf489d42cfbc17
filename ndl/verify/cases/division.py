"""Cases of ``ndl.ops.division``. Quotients stay away from whole numbers, where they jump."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def _operands(d: Draw) -> tuple[np.ndarray, np.ndarray]:
    """x and y of one shape, x / y between whole numbers."""
    shape = d.shape()
    y = d.away_from([0], *shape, gap=0.3)
    return (d.integers(-4, 3, *shape) + d.uniform(*shape, low=0.1, high=0.9)) * y, y


SPELLINGS = {
    "remainder": [lambda T, x, y: T.remainder(x, y), lambda T, x, y: x % y, lambda T, x, y: x.remainder(y)],
    "fmod": [lambda T, x, y: T.fmod(x, y), lambda T, x, y: x.fmod(y)],
    "remainder_": [lambda T, x, y: (x * 1).remainder_(y), lambda T, x, y: (x * 1).fmod_(y)],
    "div.floor": [lambda T, x, y: T.div(x, y, rounding_mode="floor") * x],
    "div.trunc": [lambda T, x, y: x.div(y, rounding_mode="trunc") * x],
    "div_": [lambda T, x, y: (x * 1).div_(y, rounding_mode="trunc") * x],
}


def _binary(name: str) -> None:
    @case(f"ops.division.{name}")
    def tensors(d: Draw) -> Program:
        return Program(d.choice(SPELLINGS[name]), *_operands(d))


for _name in SPELLINGS:
    _binary(_name)


@case("ops.division.numbers")
def numbers(d: Draw) -> Program:
    c = d.choice([2, -1.5, 3])
    x = (d.integers(-4, 3, 4, 3) + d.uniform(4, 3, low=0.1, high=0.9)) * c
    return Program(lambda T, x: (x % c, T.fmod(x, c), T.div(x, c, rounding_mode="floor") * x), x)


@case("ops.division.reflected")
def reflected(d: Draw) -> Program:
    y = 5 / (d.integers(-4, 3, 4, 3) + d.uniform(4, 3, low=0.1, high=0.9))
    # PyTorch does not differentiate a number % a tensor.
    return Program(lambda T, y: (5 % y, 5 // y), y, constant=(0,))


@case("ops.division.floor_divide")
def floor_divide(d: Draw) -> Program:
    x, y = _operands(d)
    return Program(lambda T, x, y: (T.floor_divide(x, y), x // y, (x * 1).floor_divide_(y)), x, y, constant=(0, 1))


@case("ops.division.integers")
def integers(d: Draw) -> Program:
    shape = d.shape()
    x, y = d.integers(-9, 9, *shape), d.integers(1, 4, *shape) * d.choice([-1, 1])
    modes = ("floor", "trunc")
    return Program(lambda T, x, y: (x // y, x % y, T.fmod(x, y), *(T.div(x, y, rounding_mode=m) for m in modes)), x, y)
