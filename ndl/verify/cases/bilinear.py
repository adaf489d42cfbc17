"""Cases of ``ndl.nn.bilinear``."""

from ndl.verify.case import Draw, Program, case


@case("nn.bilinear.bilinear")
def bilinear(d: Draw) -> Program:
    batch, I, J, O = d.shape(0, 2), d.size(), d.size(), d.size()
    arrays = [d.normal(*batch, I), d.normal(*batch, J), d.normal(O, I, J)]
    if d.boolean():
        arrays.append(d.normal(O))
    return Program(lambda T, *arrays: T.nn.functional.bilinear(*arrays), *arrays)


@case("nn.bilinear.Bilinear")
def bilinear_module(d: Draw) -> Program:
    batch, I, J, O, bias = d.shape(0, 2), d.size(), d.size(), d.size(), d.boolean()
    return Program(
        lambda T, m, x, z: m(x, z),
        d.normal(*batch, I),
        d.normal(*batch, J),
        module=lambda T: T.nn.Bilinear(I, J, O, bias=bias),
    )
