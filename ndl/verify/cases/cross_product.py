"""Cases of ``ndl.ops.cross_product``."""

from ndl.verify.case import Draw, Program, case


@case("ops.cross_product.cross")
def cross(d: Draw) -> Program:
    lead, tail = d.shape(0, 2), d.shape(0, 1)
    shapes = [(*(1 if d.boolean() else n for n in lead), 3, *tail) for _ in range(2)]
    dim = d.choice([len(lead), -1 - len(tail)])
    return Program(lambda T, x, y: T.cross(x, y, dim), d.normal(*shapes[0]), d.normal(*shapes[1]))


@case("ops.cross_product.cross.first_dimension_of_three")
def first(d: Draw) -> Program:
    shape = d.choice([(3,), (2, 3), (3, 3), (2, 3, 3), (3, 4)])
    return Program(lambda T, x, y: x.cross(y), d.normal(*shape), d.normal(*shape))


@case("ops.cross_product.linalg_cross")
def linalg_cross(d: Draw) -> Program:
    shape = (*d.shape(0, 2), 3)
    return Program(lambda T, x, y: T.linalg.cross(x, y), d.normal(*shape), d.normal(*shape))
