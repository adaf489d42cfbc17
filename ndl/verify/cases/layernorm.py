"""Cases of ``ndl.nn.layernorm``."""

from __future__ import annotations

from ndl.verify.case import Draw, Program, case


@case("nn.layernorm.layer_norm")
def function(d: Draw) -> Program:
    shape, affine, eps = d.shape(1, 2, high=5), d.choice([0, 1, 2]), d.choice([1e-5, 0.1])
    x = d.normal(*d.shape(0, 3), *shape)
    vectors = [d.normal(*shape) for _ in range(affine)]
    return Program(lambda T, x, *v: T.nn.functional.layer_norm(x, shape, *v, eps=eps), x, *vectors)


@case("nn.layernorm.layer_norm.bias_only")
def shift_only(d: Draw) -> Program:
    D = d.size(2)
    return Program(
        lambda T, x, b: T.nn.functional.layer_norm(x, (D,), None, b), d.normal(*d.shape(0, 2), D), d.normal(D)
    )


@case("nn.layernorm.layer_norm.large_mean")
def large_mean(d: Draw) -> Program:
    """Some rows have a mean far from zero, some have not."""
    R, D = d.size(1, 5), d.size(2, 8)
    x = d.normal(R, D) + d.choice([0.5, 30.0]) * d.normal(R, 1)
    return Program(lambda T, x, w: T.nn.functional.layer_norm(x, (D,), w), x, d.normal(D))


@case("nn.layernorm.layer_norm.far_mean")
def far_mean(d: Draw) -> Program:
    """Means hundreds or thousands of standard deviations from zero, where Σ x² − D μ² would lose its digits."""
    R, D = d.size(1, 4), d.size(4, 9)
    spread, mean = d.choice([(4.0, -3e4), (1e-3, 0.5)])
    x = spread * d.normal(R, D) + mean * d.positive(R, 1)
    return Program(
        lambda T, x, w: T.nn.functional.layer_norm(x, (D,), w, eps=1e-12),
        x,
        d.normal(D),
        numeric=False,
    )


@case("nn.layernorm.LayerNorm")
def module(d: Draw) -> Program:
    shape, affine, bias = d.shape(1, 2, low=2), d.boolean(), d.boolean()
    size = shape[0] if len(shape) == 1 and d.boolean() else shape
    x = d.normal(*d.shape(0, 3), *shape)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.LayerNorm(size, elementwise_affine=affine, bias=bias))
