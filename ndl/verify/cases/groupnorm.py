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
    return Program(lambda T, x, *v: T.nn.functional.group_norm(x, G, *v, eps=eps), x, *vectors)


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


@case("nn.groupnorm.GroupNorm")
def module(d: Draw) -> Program:
    G, affine, bias = d.size(1, 3), d.boolean(), d.boolean()
    C = G * d.size(1, 3)
    x = d.normal(d.size(2, 4), C, *d.shape(0, 3, low=2, high=4))

    def make(T: Any) -> Any:
        return T.nn.GroupNorm(G, C, affine=affine, bias=bias)

    return Program(lambda T, m, x: m(x), x, module=make)
