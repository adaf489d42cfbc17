"""Cases of ``ndl.nn.padding``."""

from __future__ import annotations

from ndl.verify.case import Draw, Program, case


@case("nn.padding.pad.constant")
def constant(d: Draw) -> Program:
    shape = d.shape(1, 4, low=3, high=6)
    widths = [d.integer(-1, 3) for _ in range(2 * d.integer(0, len(shape)))]
    value = d.choice([None, 0.0, 1.5])
    return Program(lambda T, x: T.nn.functional.pad(x, widths, value=value) * 1, d.normal(*shape))


@case("nn.padding.pad.modes")
def modes(d: Draw) -> Program:
    n, mode = d.integer(1, 3), d.choice(["reflect", "replicate", "circular"])
    lead = d.shape(1, 2, high=3) if mode != "circular" else d.shape(2, 2, high=3)
    shape = (*lead, *[d.integer(3, 5) for _ in range(n)])
    widths = [d.integer(0, 2) for _ in range(2 * n)]
    return Program(lambda T, x: T.nn.functional.pad(x, widths, mode=mode) * 1, d.normal(*shape))
