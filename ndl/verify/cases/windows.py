"""Cases of ``ndl.ops.windows``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.windows.unfold")
def unfold(d: Draw) -> Program:
    shape = d.shape(0, 3, high=7)
    dim = d.dim(len(shape))
    size = d.integer(1, shape[dim] if shape else 1)
    step = d.size(1, 4)
    return Program(lambda T, x: x.unfold(dim, size, step) * 2, d.normal(*shape))


@case("ops.windows.as_strided")
def as_strided(d: Draw) -> Program:
    size = d.shape(0, 3, low=0, high=3)
    stride = tuple(d.integer(0, 3) for _ in size)
    offset = d.integer(0, 2)

    def run(T: Any, x: Any) -> Any:
        return T.as_strided(x.contiguous() * 1, size, stride, offset) * 2

    return Program(run, d.normal(4, 6))
