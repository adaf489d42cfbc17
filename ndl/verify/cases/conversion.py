"""Cases of ``ndl.ops.conversion``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("ops.conversion.clone")
def clone(d: Draw) -> Program:
    x = d.normal(*d.shape(4, 4))

    def run(T: Any, x: Any) -> Any:
        return x.clone(), x.T.contiguous() if x.ndim == 2 else x.contiguous(), T.clone(x * 2)

    return Program(run, x)


@case("ops.conversion.channels_last")
def channels_last(d: Draw) -> Program:
    x = d.normal(*d.shape(4, 4))

    def run(T: Any, x: Any) -> Any:
        y = x.contiguous(memory_format=T.channels_last)
        assert y.is_contiguous(memory_format=T.channels_last)
        return y, x.to(memory_format=T.channels_last).clone()

    return Program(run, x)


@case("ops.conversion.to")
def to(d: Draw) -> Program:
    """Through float32 and back: the gradient comes back in x's own type."""
    x = d.normal(*d.shape())

    def run(T: Any, x: Any) -> Any:
        return x.to(T.float32), x.float().double(), x.to("cpu", T.float32), x.to(x.detach()), x.type_as(x)

    return Program(run, x, numeric=False, tolerance=1e-6)


@case("ops.conversion.integers")
def integers(d: Draw) -> Program:
    x = d.integers(-3, 3, *d.shape())

    def run(T: Any, x: Any) -> Any:
        return x.float(), x.bool(), x.int(), x.short(), x.to(T.uint8), x.half(), x.double().long()

    return Program(run, x)
