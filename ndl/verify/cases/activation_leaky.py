"""Cases of ``ndl.nn.activation_leaky``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

SLOPES = [0.01, 0.2, 1.0, 1.5, 2.5, 0.0]


@case("nn.activation_leaky.leaky_relu")
def leaky_relu(d: Draw) -> Program:
    slope = d.choice([*SLOPES, -0.3])
    return Program(lambda T, x: T.nn.functional.leaky_relu(x, slope), d.away_from([0.0], *d.shape()))


@case("nn.activation_leaky.leaky_relu.ties")
def leaky_ties(d: Draw) -> Program:
    slope = d.choice([*SLOPES, -0.3])
    return Program(lambda T, x: T.nn.functional.leaky_relu(x, slope), d.ties(*d.shape()), numeric=False)


@case("nn.activation_leaky.leaky_relu.inplace")
def leaky_in_place(d: Draw) -> Program:
    slope = d.choice(SLOPES)
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, x: T.nn.functional.leaky_relu(x * 1, slope, inplace=True), x, second=slope != 0)


@case("nn.activation_leaky.leaky_relu.inplace.negative")
def leaky_in_place_negative(d: Draw) -> Program:
    """The result does not tell the sign of x, so that the gradient is refused."""

    def run(T, x):  # type: ignore[no-untyped-def]
        y = T.nn.functional.leaky_relu(x * 1, -0.5, inplace=True)
        try:
            T.autograd.grad(y.sum(), x)
        except RuntimeError:
            return y.detach()
        return y.detach() + 1

    return Program(run, d.away_from([0.0], *d.shape()), numeric=False)


@case("nn.activation_leaky.leaky_relu_")
def leaky_underscore(d: Draw) -> Program:
    """Written into one half of a tensor: the other half keeps its gradient."""

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.leaky_relu_(y[1:], 0.1)
        return y

    return Program(run, d.away_from([0.0], d.size(2), d.size()))


@case("nn.activation_leaky.LeakyReLU")
def leaky_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.LeakyReLU(0.2, inplace))


@case("nn.activation_leaky.rrelu")
def rrelu(d: Draw) -> Program:
    training, inplace = d.boolean(), d.boolean()
    lower, upper = d.choice([(1 / 8, 1 / 3), (0.1, 0.9), (0.3, 0.3)])
    x = np.ascontiguousarray(d.away_from([0.0], *d.shape()))
    return Program(lambda T, x: T.nn.functional.rrelu(x * 1, lower, upper, training, inplace), x, seed=True)


@case("nn.activation_leaky.rrelu.ties")
def rrelu_ties(d: Draw) -> Program:
    """A draw for every x ≤ 0, zeros too, and for no other."""
    x = np.ascontiguousarray(d.ties(*d.shape()))

    def run(T, x):  # type: ignore[no-untyped-def]
        return T.rrelu(x, training=True) + T.rand(tuple(x.shape), dtype=T.float64)

    return Program(run, x, seed=True, numeric=False)


@case("nn.activation_leaky.rrelu_")
def rrelu_underscore(d: Draw) -> Program:
    training = d.boolean()

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.rrelu_(y[1:], 0.2, 0.4, training)
        return y

    return Program(run, np.ascontiguousarray(d.away_from([0.0], d.size(2), d.size())), seed=True)


@case("nn.activation_leaky.RReLU")
def rrelu_module(d: Draw) -> Program:
    inplace, evaluate = d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.away_from([0.0], *d.shape()))

    def run(T, m, x):  # type: ignore[no-untyped-def]
        return m.eval()(x * 1) if evaluate else m(x * 1)

    return Program(run, x, module=lambda T: T.nn.RReLU(0.1, 0.6, inplace), seed=True)


@case("nn.activation_leaky.prelu")
def prelu(d: Draw) -> Program:
    shape = d.shape()
    n = d.choice([1, shape[1] if len(shape) > 1 else 1])
    weight = d.normal(n) if n > 1 or d.boolean() else d.normal()
    return Program(lambda T, x, a: T.prelu(x, a), d.away_from([0.0], *shape), weight)


@case("nn.activation_leaky.prelu.ties")
def prelu_ties(d: Draw) -> Program:
    n, c = d.size(), d.size()
    return Program(lambda T, x, a: x.prelu(a), d.ties(n, c, d.size()), d.normal(c), numeric=False)


@case("nn.activation_leaky.PReLU")
def prelu_module(d: Draw) -> Program:
    shape = d.shape(2, 4)
    n = d.choice([1, shape[1]])
    return Program(lambda T, m, x: m(x), d.away_from([0.0], *shape), module=lambda T: T.nn.PReLU(n))
