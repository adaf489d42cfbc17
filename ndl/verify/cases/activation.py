"""Cases of ``ndl.nn.activation``."""

from ndl.verify.case import Draw, Program, case


@case("nn.activation.relu")
def relu(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.relu(x), d.away_from([0.0], *d.shape()))


@case("nn.activation.relu.ties")
def relu_at_zero(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.relu(x), d.ties(*d.shape()), numeric=False)


@case("nn.activation.relu.shared")
def relu_shared(d: Draw) -> Program:
    """One gradient goes to two, and one number to a whole array: nobody may write into it."""
    shape = d.shape()

    def run(T, x, w):  # type: ignore[no-untyped-def]
        relu = T.nn.functional.relu
        return relu(x) + relu(w), relu(x - w).sum()

    return Program(run, d.normal(*shape), d.normal(*shape), numeric=False)


@case("nn.activation.relu.slope")
def slope_of_relu(d: Draw) -> Program:
    """The gradient is piecewise constant: differentiated once more it gives 0, and not nothing."""

    def run(T, x):  # type: ignore[no-untyped-def]
        (g,) = T.autograd.grad(T.nn.functional.relu(x).sum(), x, create_graph=True)
        (second,) = T.autograd.grad(g.sum(), x, retain_graph=True)
        return g, second

    return Program(run, d.away_from([0.0], *d.shape()), second=False)


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


@case("nn.activation.threshold")
def threshold(d: Draw) -> Program:
    at, value, inplace = d.choice([0.0, 0.5, -1.0]), d.choice([0.0, 20.0]), d.boolean()
    x = d.away_from([at], *d.shape())
    return Program(lambda T, x: T.nn.functional.threshold(x * 1, at, value, inplace), x)


@case("nn.activation.threshold.ties")
def threshold_ties(d: Draw) -> Program:
    return Program(lambda T, x: T.threshold(x, 1.0, -7.0), d.ties(*d.shape()), numeric=False)


@case("nn.activation.threshold.integers")
def threshold_integers(d: Draw) -> Program:
    return Program(lambda T, x: T.threshold(x, 1, 7), d.integers(-3, 3, *d.shape()))


@case("nn.activation.threshold_")
def threshold_underscore(d: Draw) -> Program:
    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.threshold_(y[1:], 0.5, 3.0)
        return y

    return Program(run, d.away_from([0.25], d.size(2), d.size()))


@case("nn.activation.Threshold")
def threshold_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.1], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.Threshold(0.1, 20.0, inplace))
