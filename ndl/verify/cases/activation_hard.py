"""Cases of ``ndl.nn.activation_hard``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case

SIXTH = 1e-7  # PyTorch's gradient of hardsigmoid multiplies by 1/6 in float32's digits, whatever the type
LIMITS = [(-1.0, 1.0), (0.0, 6.0), (-2.0, -0.5)]


@case("nn.activation_hard.hardtanh")
def hardtanh(d: Draw) -> Program:
    low, high = d.choice(LIMITS)
    return Program(lambda T, x: T.nn.functional.hardtanh(x, low, high), d.away_from([low, high], *d.shape()))


@case("nn.activation_hard.hardtanh.inplace")
def hardtanh_in_place(d: Draw) -> Program:
    low, high = d.choice(LIMITS)
    x = d.away_from([low, high], *d.shape())
    return Program(lambda T, x: T.nn.functional.hardtanh(x * 1, low, high, inplace=True), x)


@case("nn.activation_hard.hardtanh.integers")
def hardtanh_integers(d: Draw) -> Program:
    x = d.integers(-3, 8, *d.shape())
    return Program(lambda T, x: (T.nn.functional.hardtanh(x), T.nn.functional.relu6(x)), x)


@case("nn.activation_hard.hardtanh_")
def hardtanh_underscore(d: Draw) -> Program:
    """Written into one half of a tensor: the other half keeps its gradient."""

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.hardtanh_(y[1:], -0.5, 1.5)
        return y

    return Program(run, d.away_from([-0.25, 0.75], d.size(2), d.size()))


@case("nn.activation_hard.Hardtanh")
def hardtanh_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([-2.0, 0.5], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.Hardtanh(-2.0, 0.5, inplace))


@case("nn.activation_hard.relu6")
def relu6(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0, 1.5], *d.shape())
    return Program(lambda T, x: T.nn.functional.relu6(x * 4, inplace), x)


@case("nn.activation_hard.ReLU6")
def relu6_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0, 1.5], *d.shape())
    return Program(lambda T, m, x: m(x * 4), x, module=lambda T: T.nn.ReLU6(inplace))


def hardsigmoid_exact(T: Any, x: Any) -> Any:
    return T.nn.functional.relu6(x + 3) / 6


@case("nn.activation_hard.hardsigmoid")
def hardsigmoid(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([-1.5, 1.5], *d.shape())
    exact = lambda T, x: hardsigmoid_exact(T, x * 2)
    return Program(lambda T, x: T.nn.functional.hardsigmoid(x * 2, inplace), x, tolerance=SIXTH, exact=exact)


@case("nn.activation_hard.Hardsigmoid")
def hardsigmoid_module(d: Draw) -> Program:
    x = d.away_from([-1.5, 1.5], *d.shape())
    exact = lambda T, m, x: hardsigmoid_exact(T, x * 2)
    return Program(lambda T, m, x: m(x * 2), x, module=lambda T: T.nn.Hardsigmoid(), tolerance=SIXTH, exact=exact)


@case("nn.activation_hard.hardswish")
def hardswish(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([-1.5, 1.5], *d.shape())
    return Program(lambda T, x: T.nn.functional.hardswish(x * 2, inplace), x)


@case("nn.activation_hard.Hardswish")
def hardswish_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([-1.5, 1.5], *d.shape())
    return Program(lambda T, m, x: m(x * 2), x, module=lambda T: T.nn.Hardswish(inplace))


@case("nn.activation_hard.hardshrink")
def hardshrink(d: Draw) -> Program:
    λ = d.choice([0.5, 1.0])
    return Program(lambda T, x: T.hardshrink(x, λ), d.away_from([-λ, λ], *d.shape()))


@case("nn.activation_hard.Hardshrink")
def hardshrink_module(d: Draw) -> Program:
    return Program(
        lambda T, m, x: m(x), d.away_from([-0.7, 0.7], *d.shape()), module=lambda T: T.nn.Hardshrink(lambd=0.7)
    )


@case("nn.activation_hard.softshrink")
def softshrink(d: Draw) -> Program:
    λ = d.choice([0.5, 1.0])
    return Program(lambda T, x: T.nn.functional.softshrink(x, λ), d.away_from([-λ, λ], *d.shape()))


@case("nn.activation_hard.Softshrink")
def softshrink_module(d: Draw) -> Program:
    return Program(
        lambda T, m, x: m(x), d.away_from([-0.7, 0.7], *d.shape()), module=lambda T: T.nn.Softshrink(lambd=0.7)
    )


@case("nn.activation_hard.ties")
def ties(d: Draw) -> Program:
    """Every corner of every function here, hit exactly."""

    def run(T: Any, x: Any, hardsigmoid: Any = None) -> tuple:
        F = T.nn.functional
        return (
            F.hardtanh(x),
            F.relu6(x * 3),
            F.relu6(x * 3 + 0, inplace=True),
            hardsigmoid(T, x * 1.5) if hardsigmoid else F.hardsigmoid(x * 1.5),
            F.hardswish(x * 1.5),
            F.hardshrink(x, 1.0),
            F.softshrink(x, 1.0),
        )

    exact = lambda T, x: run(T, x, hardsigmoid_exact)
    return Program(run, d.ties(*d.shape()), numeric=False, tolerance=SIXTH, exact=exact)
