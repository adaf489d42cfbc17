"""Cases of ``ndl.ops.counting``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("ops.counting.bincount")
def bincount(d: Draw) -> Program:
    x = d.integers(0, 6, d.integer(0, 9))
    w, minlength = d.normal(*x.shape), d.integer(0, 9)
    return Program(
        lambda T, x, w: (
            T.bincount(x, minlength=minlength),
            x.bincount(w, minlength),
            x.bincount(weights=x),
        ),
        x,
        w,
        constant=(1,),
    )


@case("ops.counting.bincount.float32")
def bincount_float32(d: Draw) -> Program:
    x = d.integers(0, 6, d.integer(0, 9))
    w = d.normal(*x.shape)
    return Program(lambda T, x, w: x.bincount(w.float()), x, w, constant=(1,), tolerance=1e-6)


@case("ops.counting.histc")
def histc(d: Draw) -> Program:
    x = d.normal(*d.shape())
    bins, low = d.integer(1, 9), d.choice([-1.0, 0.0, 0.5])
    return Program(
        lambda T, x: (T.histc(x, bins), x.histc(bins, low, 1.25), x.float().histc(bins, min=low, max=2)),
        x,
        constant=(0,),
    )


@case("ops.counting.searchsorted")
def searchsorted(d: Draw) -> Program:
    s, v = np.sort(d.ties(d.integer(0, 6))), d.ties(*d.shape())
    right, out_int32 = d.boolean(), d.boolean()
    return Program(
        lambda T, s, v: (
            T.searchsorted(s, v, right=right, out_int32=out_int32),
            T.searchsorted(s, v, side="right" if right else "left"),
            T.bucketize(v, s, right=right),
            T.searchsorted(s, 1),
            T.bucketize(0.5, s),
        ),
        s,
        v,
        constant=(0, 1),
    )


@case("ops.counting.searchsorted.lines")
def searchsorted_lines(d: Draw) -> Program:
    lead = d.shape(min_dims=1, max_dims=2)
    s, v = d.ties(*lead, d.integer(0, 6)), d.ties(*lead, d.size())
    return Program(
        lambda T, s, v: (
            T.searchsorted(T.sort(s).values, v),
            T.searchsorted(s, v, sorter=T.argsort(s, stable=True), right=True),
        ),
        s,
        v,
        constant=(0, 1),
    )
