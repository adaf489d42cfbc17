"""Cases of ``ndl.nn.groupnorm``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


def channels_last(d: Draw, *shape: int) -> np.ndarray:
    """Normal values of (N, C, …) that lie in memory as (N, …, C)."""
    return np.moveaxis(d.rng().standard_normal((shape[0], *shape[2:], shape[1])), -1, 1)


@case("nn.groupnorm.group_norm")
def function(d: Draw) -> Program:
    G, eps, affine = d.size(1, 3), d.choice([1e-5, 0.1]), d.choice([0, 1, 2])
    C = G * d.size(1, 3)
    x = d.normal(d.size(2, 4), C, *d.shape(0, 3, low=2, high=4))
    # PyTorch reads a strided weight as if it were contiguous, so ours are contiguous.
    vectors = [np.ascontiguousarray(d.normal(C)) for _ in range(affine)]
    constant = (0,) if affine and d.boolean() else ()
    return Program(lambda T, x, *v: T.nn.functional.group_norm(x, G, *v, eps=eps), x, *vectors, constant=constant)


@case("nn.groupnorm.group_norm.channels_last")
def in_other_memory_order(d: Draw) -> Program:
    G = d.size(1, 3)
    C = G * d.size(1, 3)
    x = channels_last(d, d.size(1, 3), C, d.size(2, 5), d.size(2, 5)) + d.choice([0.0, 20.0])
    v = [np.ascontiguousarray(d.normal(C)) for _ in range(2)]
    return Program(lambda T, x, w, b: T.nn.functional.group_norm(x, G, w, b), x, *v)


@case("nn.groupnorm.group_norm.large_mean")
def large_mean(d: Draw) -> Program:
    """Some groups have a mean far from zero, some have not."""
    N, C = d.size(1, 4), 2 * d.size(1, 3)
    x = d.normal(N, C, 3, d.size(2, 4)) + d.choice([0.5, 30.0]) * d.normal(N, C, 1, 1)
    w = np.ascontiguousarray(d.normal(C))
    return Program(lambda T, x, w: T.nn.functional.group_norm(x, 2, w), x, w)


@case("nn.groupnorm.group_norm.far_mean")
def far_mean(d: Draw) -> Program:
    """Means hundreds or thousands of standard deviations from zero, where Σ x² − M μ² would lose its digits."""
    N, C = d.size(1, 3), 2 * d.size(1, 3)
    spread, mean = d.choice([(4.0, -3e4), (1e-3, 0.5)])
    x = spread * d.normal(N, C, 4, d.size(2, 4)) + mean * d.positive(N, 1, 1, 1)
    w = np.ascontiguousarray(d.normal(C))
    return Program(lambda T, x, w: T.nn.functional.group_norm(x, 2, w, eps=1e-12), x, w, numeric=False)


@case("nn.groupnorm.group_norm.half")
def half(d: Draw) -> Program:
    """float16, with sums that only fit into float32."""
    G = d.size(1, 3)
    x, w = 100 * d.normal(2, 2 * G, 4, 5), np.ascontiguousarray(d.normal(2 * G))

    def run(T: Any, x: Any, w: Any) -> Any:
        return 300 * T.nn.functional.group_norm(x.half(), G, w.half()).to(x.dtype)

    return Program(run, x, w, tolerance=5e-3, numeric=False, second=False)


@case("nn.groupnorm.group_norm.empty_batch")
def empty_batch(d: Draw) -> Program:
    x, w = d.normal(0, 4, 3), np.ascontiguousarray(d.normal(4))
    return Program(lambda T, x, w: T.nn.functional.group_norm(x, 2, w), x, w)


@case("nn.groupnorm.group_norm.no_pixels")
def no_pixels(d: Draw) -> Program:
    """Without γ: PyTorch says nan for the sum of nothing."""
    return Program(lambda T, x: T.nn.functional.group_norm(x, 2), d.normal(d.size(1, 3), 4, 0))


@case("nn.groupnorm.group_norm.small")
def small(d: Draw) -> Program:
    """Several samples to a tile, and fewer in the last one."""
    x, w, b = d.normal(2 * d.size(1, 3) + 1, 2, 2), *[np.ascontiguousarray(d.normal(2)) for _ in range(2)]
    return Program(lambda T, x, w, b: T.nn.functional.group_norm(x, 1, w, b), x, w, b)


@case("nn.groupnorm.GroupNorm")
def module(d: Draw) -> Program:
    G, affine, bias = d.size(1, 3), d.boolean(), d.boolean()
    C = G * d.size(1, 3)
    x = d.normal(d.size(2, 4), C, *d.shape(0, 3, low=2, high=4))

    def make(T: Any) -> Any:
        return T.nn.GroupNorm(G, C, affine=affine, bias=bias)

    return Program(lambda T, m, x: m(x), x, module=make)
