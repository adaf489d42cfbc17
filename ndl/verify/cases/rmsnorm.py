"""Cases of ``ndl.nn.rmsnorm``."""

from __future__ import annotations

from ndl.verify.case import Draw, Program, case


@case("nn.rmsnorm.rms_norm")
def function(d: Draw) -> Program:
    shape, affine, eps = d.shape(1, 2, high=5), d.boolean(), d.choice([None, 1e-5, 0.1])
    x = d.normal(*d.shape(0, 3), *shape)
    vectors = [d.normal(*shape)] if affine else []
    return Program(lambda T, x, *v: T.nn.functional.rms_norm(x, shape, *v, eps=eps), x, *vectors)


@case("nn.rmsnorm.RMSNorm")
def module(d: Draw) -> Program:
    shape, affine, eps = d.shape(1, 2, low=2), d.boolean(), d.choice([None, 1e-3])
    size = shape[0] if len(shape) == 1 and d.boolean() else shape
    x = d.normal(*d.shape(0, 3), *shape)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.RMSNorm(size, eps, affine))
