"""Cases of ``ndl.ops.combinations``."""

from ndl.verify.case import Draw, Program, case


@case("ops.combinations.lerp")
def lerp(d: Draw) -> Program:
    x, y = d.broadcastable(2)
    w = d.choice([0.0, 0.25, 0.5, 1, 1.5, -0.75])
    return Program(lambda T, x, y: (T.lerp(x, y, w), x.lerp(y, weight=w)), x, y)


@case("ops.combinations.lerp.tensor")
def lerp_tensor(d: Draw) -> Program:
    return Program(lambda T, x, y, w: T.lerp(x, y, w), *d.broadcastable(3))


@case("ops.combinations.addcmul")
def addcmul(d: Draw) -> Program:
    v = d.choice([1, -0.5, 2])
    return Program(lambda T, x, a, b: T.addcmul(x, a, b, value=v), *d.broadcastable(3))


@case("ops.combinations.addcdiv")
def addcdiv(d: Draw) -> Program:
    v = d.choice([1, -0.5, 2])
    operands = d.broadcastable(3, lambda *shape: d.away_from([0], *shape, gap=0.2))
    return Program(lambda T, x, a, b: T.addcdiv(x, a, b, value=v), *operands)


@case("ops.combinations.in_place")
def in_place(d: Draw) -> Program:
    shape, kind = d.shape(), d.choice(["lerp_", "addcmul_", "addcdiv_"])
    x, a, b = d.normal(*shape), d.normal(*shape), d.away_from([0], *shape, gap=0.2)
    if kind == "lerp_":
        return Program(lambda T, x, a, b: ((x * 1).lerp_(a, 0.3), (x * 1).lerp_(a, b)), x, a, b)
    return Program(lambda T, x, a, b: getattr(x * 1, kind)(a, b, value=2), x, a, b)
