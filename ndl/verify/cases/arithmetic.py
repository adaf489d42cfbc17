"""Cases of ``ndl.ops.arithmetic``."""

from ndl.verify.case import Draw, Program, case

SPELLINGS = {
    "add": [lambda T, x, y: T.add(x, y), lambda T, x, y: x + y, lambda T, x, y: x.add(y)],
    "sub": [lambda T, x, y: T.sub(x, y), lambda T, x, y: x - y, lambda T, x, y: T.subtract(x, y)],
    "mul": [lambda T, x, y: T.mul(x, y), lambda T, x, y: x * y, lambda T, x, y: x.multiply(y)],
    "div": [lambda T, x, y: T.div(x, y), lambda T, x, y: x / y, lambda T, x, y: T.true_divide(x, y)],
    "rsub": [lambda T, x, y: T.rsub(x, y)],
}


def _binary(name: str) -> None:
    @case(f"ops.arithmetic.{name}")
    def tensors(d: Draw) -> Program:
        x, y = d.broadcastable(2, lambda *shape: d.away_from([0], *shape, gap=0.2))
        return Program(d.choice(SPELLINGS[name]), x, y)


for _name in SPELLINGS:
    _binary(_name)


@case("ops.arithmetic.add.alpha")
def add_alpha(d: Draw) -> Program:
    x, y = d.broadcastable(2)
    name, alpha = d.choice(["add", "sub", "rsub", "subtract"]), d.choice([2, -0.5, 0, 3.25])
    return Program(lambda T, x, y: getattr(T, name)(x, y, alpha=alpha), x, y)


@case("ops.arithmetic.numbers")
def numbers(d: Draw) -> Program:
    x, c = d.away_from([0], *d.shape(), gap=0.2), d.choice([2, -1.5, 3, True])
    if c is True:  # subtraction of booleans is forbidden
        return Program(lambda T, x: (x + c) * c / c, x)
    return Program(lambda T, x: ((c + x) * c - c, c - x / c, c / x, c * x, (x + c) / c), x)


@case("ops.arithmetic.mixed")
def mixed_types(d: Draw) -> Program:
    shape = d.shape(min_dims=1)
    x, n, m = d.normal(*shape), d.integers(1, 5, *shape), d.mask(*shape)
    return Program(lambda T, x, n, m: (x + n, n * x, m * x, x / n, n - x, x.add(n, alpha=2.5), n / (m + 1)), x, n, m)


@case("ops.arithmetic.same_tensor")
def same_tensor(d: Draw) -> Program:
    return Program(lambda T, x: ((x + x) * x - x / (x * x + 1), x * x * x), d.normal(*d.shape()))


@case("ops.arithmetic.in_place")
def in_place(d: Draw) -> Program:
    shape = d.shape(min_dims=1, max_dims=3)
    x, y = d.normal(*shape), d.away_from([0], *shape[d.integer(0, len(shape)) :], gap=0.2)
    name = d.choice(["add_", "sub_", "mul_", "div_", "subtract_", "multiply_", "divide_", "true_divide_"])
    return Program(lambda T, x, y: getattr(x * 1, name)(y), x, y)


@case("ops.arithmetic.augmented")
def augmented(d: Draw) -> Program:
    shape = d.shape()
    x, y, kind = d.normal(*shape), d.away_from([0], *shape, gap=0.2), d.integer(0, 3)

    def run(T, x, y):
        z = x * 1
        if kind == 0:
            z += y
        elif kind == 1:
            z -= y
        elif kind == 2:
            z *= y
        else:
            z /= y
        return z

    return Program(run, x, y)


UNARY = {
    "neg": lambda T, x: T.neg(x),
    "negative": lambda T, x: T.negative(x),
    "minus": lambda T, x: -x,
    "positive": lambda T, x: T.positive(x) * 1 + (+x),
    "abs": lambda T, x: T.abs(x),
    "absolute": lambda T, x: x.absolute() + abs(x),
    "neg_": lambda T, x: (x * 1).neg_(),
    "abs_": lambda T, x: (x * 1).abs_(),
    "sign": lambda T, x: T.sign(x) * x,
    "sgn": lambda T, x: x.sgn() * x,
    "sign_": lambda T, x: (x * 1).sign_() * x,
}


def _unary(name: str) -> None:
    @case(f"ops.arithmetic.{name}")
    def one(d: Draw) -> Program:
        return Program(UNARY[name], d.away_from([0], *d.shape()))


for _name in UNARY:
    _unary(_name)


@case("ops.arithmetic.abs.ties")
def abs_at_zero(d: Draw) -> Program:
    return Program(lambda T, x: (T.abs(x), T.sign(x)), d.ties(*d.shape()), numeric=False)
