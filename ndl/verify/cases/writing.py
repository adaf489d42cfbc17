"""Cases of ``ndl.ops.writing``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.writing.fill_")
def fill_(d: Draw) -> Program:
    def run(T: Any, x: Any, v: Any) -> Any:
        y, z = x * 1, x * 2
        y[..., :1].fill_(v)
        z.fill_(3.5)
        return y * x, z * v

    return Program(run, d.normal(*d.shape(1)), d.normal())


@case("ops.writing.zero_")
def zero_(d: Draw) -> Program:
    def run(T: Any, x: Any) -> Any:
        y = x * 2
        y[..., -1].zero_()
        return y, (x * 1).zero_()

    return Program(run, d.normal(*d.shape(1)))


@case("ops.writing.written_over")
def written_over(d: Draw) -> Program:
    """What was written over still has a gradient: 0."""

    def run(T: Any, x: Any, v: Any) -> Any:
        filled, copied = x * 2, x * 3
        filled.fill_(v)
        copied.copy_(x[:1])
        y = filled.sum() + (copied * copied).sum()
        alone = x * 2
        alone.zero_()
        return *T.autograd.grad(y, (x, v)), *T.autograd.grad(alone.sum(), x)

    return Program(run, d.normal(*d.shape(1)), d.normal(), numeric=False, second=False)


@case("ops.writing.copy_")
def copy_(d: Draw) -> Program:
    shape = d.shape(low=0)
    start = d.integer(0, len(shape))
    source = d.normal(*[1 if d.integer(0, 3) == 0 else n for n in shape[start:]])
    return Program(lambda T, x, v: (x * 1).copy_(v) * x, d.normal(*shape), source)


@case("ops.writing.scatters")
def scatters(d: Draw) -> Program:
    """Parts of a copy written over."""
    dim, index = d.integer(-2, 1), d.integer(-3, 2)
    start, end, step = d.choice([None, 0, 1, -2]), d.choice([None, 2, 9, -1]), d.size(1, 2)
    offset = d.integer(-1, 1)
    x, v = d.normal(3, 3), d.normal(3, 3)

    def run(T: Any, x: Any, v: Any) -> Any:
        part = range(3)[start:end:step]
        return (
            T.select_scatter(x, v[0], dim, index),
            T.slice_scatter(x, v.narrow(dim, 0, len(part)), dim, start, end, step),
            T.diagonal_scatter(x, v[1, : 3 - abs(offset)], offset),
        )

    return Program(run, x, v)
