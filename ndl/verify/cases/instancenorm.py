"""Cases of ``ndl.nn.instancenorm``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("nn.instancenorm.instance_norm")
def function(d: Draw) -> Program:
    C, own = d.size(), d.boolean()
    x = d.normal(d.size(1, 4), C, *d.shape(1, 3, low=2, high=4)) + d.choice([0.0, 10.0])
    eps, momentum = d.choice([1e-5, 0.1]), d.choice([0.1, 0.5])

    def run(T: Any, x: Any, mean: Any, var: Any, w: Any, b: Any) -> Any:
        y = T.nn.functional.instance_norm(x, mean, var, w, b, own, momentum, eps)
        return y, mean, var

    vectors = [np.ascontiguousarray(v) for v in (d.normal(C), d.positive(C), d.normal(C), d.normal(C))]
    return Program(run, x, *vectors, constant=(1, 2))


@case("nn.instancenorm.instance_norm.half")
def half(d: Draw) -> Program:
    """float16, with sums that only fit into float32."""
    C = d.size(1, 3)
    x, w = 100 * d.normal(2, C, 4, 10), np.ascontiguousarray(d.normal(C))

    def run(T: Any, x: Any, w: Any) -> Any:
        return 300 * T.nn.functional.instance_norm(x.half(), weight=w.half()).to(x.dtype)

    return Program(run, x, w, tolerance=5e-3, numeric=False, second=False)


def _module(n: int) -> None:
    @case(f"nn.instancenorm.InstanceNorm{n}d")
    def module(d: Draw) -> Program:
        C, affine, track, bias = d.size(1, 4), d.boolean(), d.boolean(), d.boolean()
        evaluate, batched = d.boolean(), d.boolean()
        momentum = d.choice([0.1, 0.4, None])
        x = d.normal(*([d.size(1, 4)] if batched else []), C, *d.shape(n, n, low=2, high=4))

        def run(T: Any, m: Any, x: Any) -> Any:
            y = m(x)
            m(x.detach() * 2 + 1)  # a second batch moves the running statistics on
            return (y, m.eval()(x)) if evaluate else y

        def make(T: Any) -> Any:
            name = f"InstanceNorm{n}d"
            options = {"momentum": momentum, "affine": affine, "track_running_stats": track, "bias": bias}
            return getattr(T.nn, name)(C, **options)

        # In evaluation the running statistics count as constants, though differences see that they came from x.
        return Program(run, x, module=make, numeric=not (evaluate and track))


for _n in (1, 2, 3):
    _module(_n)
