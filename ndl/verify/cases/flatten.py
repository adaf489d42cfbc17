"""Cases of ``ndl.nn.flatten``."""

from ndl.verify.case import Draw, Program, case


@case("nn.flatten.Flatten")
def flatten(d: Draw) -> Program:
    shape = d.shape(2, 4, low=0)
    start = d.integer(0, len(shape) - 1)
    end = d.integer(start, len(shape) - 1)
    return Program(lambda T, m, x: m(x) * 1, d.normal(*shape), module=lambda T: T.nn.Flatten(start, end))


@case("nn.flatten.Unflatten")
def unflatten(d: Draw) -> Program:
    n, m, dim = d.size(), d.size(), d.choice([1, -1])
    x = d.normal(d.size(), n * m)
    return Program(lambda T, b, x: b(x) * 1, x, module=lambda T: T.nn.Unflatten(dim, (n, m)))
