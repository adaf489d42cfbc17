"""Cases of ``ndl.nn.linear``."""

from ndl.verify.case import Draw, Program, case


@case("nn.linear.linear")
def linear(d: Draw) -> Program:
    lead, n, m = d.shape(0, 3), d.size(), d.size()
    x, W = d.normal(*lead, n), d.normal(m, n)
    if d.boolean():
        return Program(lambda T, x, W, b: T.nn.functional.linear(x, W, b), x, W, d.normal(m))
    return Program(lambda T, x, W: T.nn.functional.linear(x, W), x, W)


@case("nn.linear.linear.empty")
def empty(d: Draw) -> Program:
    """No samples, no inputs or no outputs: the bias remains."""
    lead, n, m = d.shape(0, 2, low=0), d.size(0, 2), d.size(0, 2)
    return Program(
        lambda T, x, W, b: T.nn.functional.linear(x, W, b),
        d.normal(*lead, n),
        d.normal(m, n),
        d.normal(m),
        second=False,
    )


@case("nn.linear.linear.broadcast_bias")
def broadcast_bias(d: Draw) -> Program:
    n, i, o = d.size(), d.size(), d.size()
    b = d.normal(n, o) if d.boolean() else d.normal(1)
    return Program(lambda T, x, W, b: T.nn.functional.linear(x, W, b), d.normal(n, i), d.normal(o, i), b)


@case("nn.linear.Linear")
def layer(d: Draw) -> Program:
    n, m, bias = d.size(), d.size(), d.boolean()
    x = d.normal(*d.shape(0, 3, low=0), n)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.Linear(n, m, bias=bias))


@case("nn.linear.Linear.twice")
def twice(d: Draw) -> Program:
    """One layer used twice before one backward: both uses add to the same gradients."""
    n = d.size()
    return Program(lambda T, m, x: m(m(x)), d.normal(d.size(), n), module=lambda T: T.nn.Linear(n, n))


@case("nn.linear.Identity")
def identity(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x) * 1, d.normal(*d.shape()), module=lambda T: T.nn.Identity(3, unused=True))
