"""Cases of ``ndl.ops.masking``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


def masked(d: Draw, same: bool) -> tuple:
    """A tensor and a mask that broadcasts to it, or both to one shape."""
    full = d.shape(low=0, max_dims=3)
    start = d.integer(0, len(full))
    mask = d.mask(*[1 if d.integer(0, 3) == 0 else n for n in full[start:]])
    return d.normal(*full) if same else d.normal(*[1 if d.integer(0, 3) == 0 else n for n in full]), mask


@case("ops.masking.masked_fill")
def masked_fill(d: Draw) -> Program:
    number = d.choice([0, 2.5, float("inf"), float("-inf"), float("nan")])
    x, m = masked(d, False)
    v = d.normal()
    return Program(
        lambda T, x, m, v: (x.masked_fill(m, v), T.masked_fill(x, m, number)), x, m, v, numeric=number in (0, 2.5)
    )


@case("ops.masking.masked_fill_")
def masked_fill_(d: Draw) -> Program:
    x, m = masked(d, True)
    return Program(lambda T, x, m, v: (x * 1).masked_fill_(m, v).masked_fill_(~m, 2) * x, x, m, d.normal())


@case("ops.masking.masked_select")
def masked_select(d: Draw) -> Program:
    return Program(lambda T, x, m: T.masked_select(x, m), *masked(d, False))


@case("ops.masking.masked_scatter")
def masked_scatter(d: Draw) -> Program:
    x, m = masked(d, True)
    source = d.normal(x.size + d.integer(0, 2))
    form = d.boolean()

    def run(T: Any, x: Any, m: Any, source: Any) -> Any:
        return x.masked_scatter(m, source) if form else (x * 1).masked_scatter_(m, source)

    return Program(run, x, m, source)


@case("ops.masking.nonzero")
def nonzero(d: Draw) -> Program:
    return Program(
        lambda T, x: (T.nonzero(x), *T.nonzero(x, as_tuple=True), T.argwhere(x), (x > 0).nonzero()),
        d.ties(*d.shape(low=0)),
        numeric=False,
    )
