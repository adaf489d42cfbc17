"""Cases of ``ndl.ops.elementary``."""

from ndl.verify.case import Draw, Program, case

UNARY = {
    "exp": Draw.normal,
    "exp2": Draw.normal,
    "expm1": Draw.normal,
    "log": Draw.positive,
    "log1p": Draw.positive,
    "log2": Draw.positive,
    "log10": Draw.positive,
}


def _unary(name: str) -> None:
    @case(f"ops.elementary.{name}")
    def function(d: Draw) -> Program:
        x = UNARY[name](d, *d.shape())
        return Program(lambda T, x: (getattr(T, name)(x), getattr(x, name)()), x)

    @case(f"ops.elementary.{name}_")
    def in_place(d: Draw) -> Program:
        return Program(lambda T, x: getattr(x * 1, name + "_")(), UNARY[name](d, *d.shape()))


for _name in UNARY:
    _unary(_name)


@case("ops.elementary.logaddexp")
def logaddexp(d: Draw) -> Program:
    return Program(lambda T, x, y: T.logaddexp(x, y), *d.broadcastable(2))


@case("ops.elementary.logaddexp2")
def logaddexp2(d: Draw) -> Program:
    return Program(lambda T, x, y: T.logaddexp2(x, y), *d.broadcastable(2))


@case("ops.elementary.xlogy")
def xlogy(d: Draw) -> Program:
    return Program(lambda T, x, y: (T.xlogy(x, y), T.xlogy(2, y), T.xlogy(x, 3)), *d.broadcastable(2, d.positive))


@case("ops.elementary.xlogy_")
def xlogy_in_place(d: Draw) -> Program:
    shape = d.shape()
    return Program(lambda T, x, y: (x * 1).xlogy_(y), d.positive(*shape), d.positive(*shape))


@case("ops.elementary.xlogy.ties")
def xlogy_at_zero(d: Draw) -> Program:
    return Program(lambda T, x, y: T.xlogy(x, y), d.ties(4, 4), d.ties(4, 4), numeric=False)


@case("ops.elementary.integers")
def integers(d: Draw) -> Program:
    n, m = d.integers(1, 6, 3, 4), d.mask(3, 4)
    return Program(lambda T, n, m: (T.exp(n), T.log(n), n.log2(), T.exp(m), T.xlogy(n, n)), n, m, tolerance=1e-6)
