"""Cases of ``ndl.nn.padding``."""

from __future__ import annotations

from ndl.verify.case import Draw, Program, case

COPIES = ["reflect", "replicate", "circular"]


@case("nn.padding.pad.constant")
def constant(d: Draw) -> Program:
    shape = d.shape(1, 4, low=3, high=6)
    widths = [d.integer(-1, 3) for _ in range(2 * d.integer(0, len(shape)))]
    value = d.choice([None, 0.0, 1.5])
    return Program(lambda T, x: T.nn.functional.pad(x, widths, value=value) * 1, d.normal(*shape))


@case("nn.padding.pad.integers")
def integers(d: Draw) -> Program:
    widths = [d.integer(-1, 2) for _ in range(2)]
    x, mode, value = d.integers(-3, 3, 2, 4), d.choice(["constant", *COPIES]), d.choice([None, 2.5])
    value = value if mode == "constant" else None
    return Program(lambda T, x: T.nn.functional.pad(x, widths, mode=mode, value=value), x)


@case("nn.padding.pad.modes")
def modes(d: Draw) -> Program:
    n, mode = d.integer(1, 3), d.choice(COPIES)
    shape = (*d.shape(1, 2, high=3), *[d.integer(3, 5) for _ in range(n)])
    widths = [d.integer(0, 2) for _ in range(2 * n)]
    return Program(lambda T, x: T.nn.functional.pad(x, widths, mode=mode) * 1, d.normal(*shape))


@case("nn.padding.pad.negative")
def negative(d: Draw) -> Program:
    """Widths that cut off, beside widths that copy: a mirror still sees what was cut off, a circle does not."""
    n, mode = d.integer(1, 3), d.choice(COPIES)
    shape = (*d.shape(1, 2, high=3), *[d.integer(4, 5) for _ in range(n)])
    widths = [d.integer(-1, 3) for _ in range(2 * n)]
    return Program(lambda T, x: T.nn.functional.pad(x, widths, mode=mode) * 1, d.normal(*shape))


@case("nn.padding.pad.widest")
def widest(d: Draw) -> Program:
    """As wide as the mode allows: n − 1 for a mirror, n for a circle, anything for the edge; also of one element."""
    mode, n = d.choice(COPIES), d.integer(1, 4)
    w = {"reflect": n - 1, "circular": n, "replicate": n + 3}[mode]
    widths = [w, d.choice([0, w])]
    return Program(lambda T, x: T.nn.functional.pad(x, widths, mode=mode) * 1, d.normal(2, n))


def module(name: str, dims: int, *value: float) -> None:
    """The case of one Module: one width for all sides, or one for each."""

    @case(f"nn.padding.{name}")
    def pad(d: Draw) -> Program:
        shape = (*d.shape(1, 2, high=3), *[d.integer(3, 5) for _ in range(dims)])
        padding = d.integer(0, 2) if d.boolean() else tuple([d.integer(0, 2) for _ in range(2 * dims)])
        return Program(
            lambda T, m, x: m(x) * 1, d.normal(*shape), module=lambda T: getattr(T.nn, name)(padding, *value)
        )


for n in (1, 2, 3):
    module(f"ConstantPad{n}d", n, 1.5)
    module(f"ZeroPad{n}d", n)
    module(f"ReflectionPad{n}d", n)
    module(f"ReplicationPad{n}d", n)
    module(f"CircularPad{n}d", n)
