"""Cases of ``ndl.ops.logic``: results without gradients, so no differences are taken."""

from typing import Any

from ndl.verify.case import Draw, Program, case


def _logical(name: str) -> None:
    @case(f"ops.logic.{name}")
    def tensors(d: Draw) -> Program:
        n, m, x = d.integers(-1, 1, 3, 4), d.mask(4), d.ties(3, 1)

        def run(T: Any, n: Any, m: Any, x: Any) -> tuple:
            f = getattr(T, name)
            return f(n, m), f(m, x), f(x, n), f(x, x), getattr(m, name)(m)

        return Program(run, n, m, x, numeric=False)

    @case(f"ops.logic.{name}_")
    def in_place(d: Draw) -> Program:
        n, m, x = d.integers(-1, 1, 3, 4), d.mask(4), d.ties(3, 4)
        f = name + "_"
        return Program(lambda T, n, m, x: (getattr(n * 1, f)(m), getattr(x * 1, f)(n) + x), n, m, x, constant=(2,))


for _name in ("logical_and", "logical_or", "logical_xor"):
    _logical(_name)


@case("ops.logic.logical_not")
def logical_not(d: Draw) -> Program:
    n, m, x = d.integers(-1, 1, 3, 4), d.mask(4), d.ties(3, 4)
    return Program(
        lambda T, n, m, x: (T.logical_not(n), m.logical_not(), T.logical_not(x), (x * 1).logical_not_()),
        n,
        m,
        x,
        constant=(2,),
    )


BITWISE = {
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
    "bitwise_left_shift": lambda a, b: a << b,
    "bitwise_right_shift": lambda a, b: a >> b,
}


def _bitwise(name: str) -> None:
    shift = "shift" in name

    @case(f"ops.logic.{name}")
    def tensors(d: Draw) -> Program:
        x, y, m = d.integers(-70, 70, 3, 4), d.integers(-2 if shift else -70, 70, 4), d.mask(4)
        c, sign = d.choice([0, 1, 3, 70]), BITWISE[name]

        def run(T: Any, x: Any, y: Any, m: Any) -> tuple:
            f = getattr(T, name)
            both = () if shift else (sign(m, m), sign(m, True))
            return f(x, y), sign(x, y), sign(x, c), sign(c, y), sign(x, m), getattr(x * 1, name + "_")(y), *both

        return Program(run, x, y, m)

    @case(f"ops.logic.{name}.augmented")
    def augmented(d: Draw) -> Program:
        def run(T: Any, x: Any, y: Any) -> Any:
            z = x * 1
            if name == "bitwise_and":
                z &= y
            elif name == "bitwise_or":
                z |= y
            elif name == "bitwise_xor":
                z ^= y
            elif name == "bitwise_left_shift":
                z <<= y
            else:
                z >>= y
            return z

        return Program(run, d.integers(-70, 70, 3, 4), d.integers(0, 8, 4))


for _name in BITWISE:
    _bitwise(_name)


@case("ops.logic.bitwise_not")
def bitwise_not(d: Draw) -> Program:
    x, m = d.integers(-70, 70, *d.shape()), d.mask(3, 4)
    return Program(lambda T, x, m: (~x, ~m, T.bitwise_not(x), (x * 1).bitwise_not_(), (m & m).bitwise_not_()), x, m)
