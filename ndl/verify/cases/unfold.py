"""Cases of ``ndl.nn.unfold``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case


def _options(d: Draw) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]:
    """Options, the size of a picture that the kernel fits into, and how many windows it has."""
    kernel = d.integer(1, 4), d.integer(1, 3)
    dilation, stride = (d.integer(1, 2), d.integer(1, 2)), (d.integer(1, 3), d.integer(1, 3))
    padding = d.integer(0, 2), d.integer(0, 2)
    reach = [e * (k - 1) + 1 for e, k in zip(dilation, kernel)]
    size = tuple(max(1, r - 2 * p) + d.integer(0, 4) for r, p in zip(reach, padding))
    count = tuple((m + 2 * p - r) // s + 1 for m, p, r, s in zip(size, padding, reach, stride))
    return {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}, size, count


@case("nn.unfold.unfold")
def unfold(d: Draw) -> Program:
    options, size, _ = _options(d)
    lead = [d.size(1, 3)] if d.integer(0, 3) == 0 else [d.size(0, 2), d.size(1, 3)]
    x = d.normal(*lead, *size)
    second = x.size > 0
    if d.boolean():
        return Program(lambda T, x: T.nn.functional.unfold(x, **options), x, second=second)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.Unfold(**options), second=second)


@case("nn.unfold.fold")
def fold(d: Draw) -> Program:
    options, size, count = _options(d)
    kernel = options["kernel_size"]
    lead = [] if d.integer(0, 3) == 0 else [d.size(1, 2)]
    y = d.normal(*lead, d.size(1, 3) * kernel[0] * kernel[1], count[0] * count[1])
    if d.boolean():
        return Program(lambda T, y: T.nn.functional.fold(y, size, **options), y)
    return Program(lambda T, m, y: m(y), y, module=lambda T: T.nn.Fold(size, **options))


@case("nn.unfold.as_a_convolution")
def convolution(d: Draw) -> Program:
    """A convolution is a matrix product of the filters with the columns."""
    options, size, count = _options(d)
    kernel = options["kernel_size"]
    x, W = d.normal(2, 2, *size), d.normal(3, 2 * kernel[0] * kernel[1])
    return Program(lambda T, x, W: (W @ T.nn.functional.unfold(x, **options)).reshape(2, 3, *count), x, W)
