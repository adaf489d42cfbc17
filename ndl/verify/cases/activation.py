"""Cases of ``ndl.nn.activation``."""

from ndl.verify.case import Draw, Program, case


@case("nn.activation.relu")
def relu(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.relu(x), d.away_from([0.0], *d.shape()))


@case("nn.activation.relu.ties")
def relu_at_zero(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.relu(x), d.ties(*d.shape()), numeric=False)


@case("nn.activation.relu.inplace")
def relu_in_place(d: Draw) -> Program:
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, x: T.nn.functional.relu(x * 1, inplace=True), x)


@case("nn.activation.relu_")
def relu_underscore(d: Draw) -> Program:
    """Written into one half of a tensor: the other half keeps its gradient."""
    x = d.away_from([0.0], d.size(2), d.size())

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.relu_(y[1:])
        return y

    return Program(run, x)


@case("nn.activation.ReLU")
def relu_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.ReLU(inplace=inplace))


@case("nn.activation.Sigmoid")
def sigmoid(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Sigmoid())


@case("nn.activation.Tanh")
def tanh(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Tanh())
