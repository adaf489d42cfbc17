"""Cases of ``ndl.autograd.views``: memory that several tensors share, and what writing into it does to their gradients."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("autograd.views.written")
def written(d: Draw) -> Program:
    """A part of a transposed part is written; the whole, the part and other views are read afterwards."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y = x * 2
        row, part = y[1], y.t()[1:3, ::2]
        part.mul_(v)
        return y * x, part * v, row * row, y.t() * 3

    return Program(run, d.normal(3, 4), d.normal(2, 2))


@case("autograd.views.reversed")
def turned(d: Draw) -> Program:
    """The base lies in memory in another order than it is read in."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y, z = T.flip(x, (0, 1)), x.permute(2, 0, 1) * 1
        y[1:, 0].mul_(v[0])
        z[:, 1:].mul_(v[1])
        corner = z[2:, :, 1]
        z.mul_(x.permute(2, 0, 1))
        return y * x, z * 2, corner * corner

    return Program(run, d.normal(3, 2, 4), d.normal(2))


@case("autograd.views.negative")
def negative(d: Draw) -> Program:
    """Memory that is walked through backwards, which NumPy's arrays may be and PyTorch's may not."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y = T.from_numpy(np.ones((3, 4), x.detach().numpy().dtype)[::-1, ::-1])
        y.mul_(x)
        part, nothing, turned = y[1:, ::2], y.diagonal(-3), y.t()
        part.mul_(v)
        y.mul_(2)
        return part * part, nothing * 2, turned * turned

    return Program(run, d.normal(3, 4), d.normal(2, 2), parity=False)


@case("autograd.views.overlapping")
def overlapping(d: Draw) -> Program:
    """Views that show an element of their base several times, read after the base was written."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y = (x * 1).contiguous()
        windows, apart, repeated = y.unfold(1, 3, 1), y.unfold(1, 2, 2), y[:, 1:2].expand(4, 6)
        many, pairs = y[0, :1].expand(2, 4), y.unfold(1, 2, 1)
        across = y.as_strided((2, 3, 2), (9, 4, 1), 1)  # only its longest stride leads to what the others show
        y.mul_(v)
        return windows * windows, apart * apart, repeated * v, many * many, pairs * pairs, across * across

    return Program(run, d.normal(4, 6), d.normal(4, 6))


@case("autograd.views.one_gradient")
def one_gradient(d: Draw) -> Program:
    """Written into what has no gradient; and a number into what has one."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y, z = T.zeros(3, 4, dtype=x.dtype), x * 1
        y[1:, ::3] = v
        z[:, 1:3][1] = 2.5
        return y * 2, z * z

    return Program(run, d.normal(3, 4), d.normal(2, 2))


@case("autograd.views.empty")
def empty(d: Draw) -> Program:
    """Views of nothing and of one row or column, written and read."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y = x * 1
        nothing, behind, row, column = y[:, 2:2], y[2:, 2:], y[:1], y[:, 1:2]
        nothing.mul_(2)
        behind.mul_(2)
        column.mul_(v[0])
        y.mul_(v)
        none = x[:0] * 1
        none[:, 1].mul_(2)
        return nothing * 3, behind * 2, row * row, column * column, none * 2

    return Program(run, d.normal(2, 3), d.normal(3))


@case("autograd.views.compared")
def compared(d: Draw) -> Program:
    """The answer of a comparison written over everything, or over a part: what was there gets the gradient 0."""

    def run(T: Any, x: Any) -> Any:
        y, z = x * 1, x * 1
        y.gt_(0)
        z[1].gt_(0)
        return *T.autograd.grad((y * y).sum(), x, retain_graph=True), y, z * z

    return Program(run, d.normal(3, 4), numeric=False, second=False)
