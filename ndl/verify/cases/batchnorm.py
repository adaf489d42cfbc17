"""Cases of ``ndl.nn.batchnorm``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("nn.batchnorm.batch_norm")
def function(d: Draw) -> Program:
    C, training = d.size(), d.boolean()
    x = d.normal(d.size(2, 5), C, *d.shape(0, 3))
    eps, momentum = d.choice([1e-5, 0.1]), d.choice([0.1, 0.5])

    def run(T: Any, x: Any, mean: Any, var: Any, w: Any, b: Any) -> Any:
        y = T.nn.functional.batch_norm(x, mean, var, w, b, training, momentum, eps)
        return y, mean, var

    # PyTorch 2.13 reads a strided weight as if it were contiguous in its backward pass, so ours are contiguous.
    vectors = [np.ascontiguousarray(v) for v in (d.normal(C), d.positive(C), d.normal(C), d.normal(C))]
    return Program(run, x, *vectors, constant=d.choice([(1, 2), (1, 2), (0, 1, 2), (1, 2, 3)]))


def _module(n: int) -> None:
    @case(f"nn.batchnorm.BatchNorm{n}d")
    def module(d: Draw) -> Program:
        C, affine, track, evaluate = d.size(1, 4), d.boolean(), d.boolean(), d.boolean()
        momentum = d.choice([0.1, None])
        size = d.shape(n, n, high=4) if n > 1 or d.boolean() else ()
        x = d.normal(d.size(2, 4), C, *size)

        def run(T: Any, m: Any, x: Any) -> Any:
            y = m(x)
            m(x.detach() * 2 + 1)  # a second batch moves the running statistics on
            return (y, m.eval()(x)) if evaluate else y

        def make(T: Any) -> Any:
            return getattr(T.nn, f"BatchNorm{n}d")(C, momentum=momentum, affine=affine, track_running_stats=track)

        # In evaluation the running statistics count as constants, though differences see that they came from x.
        return Program(run, x, module=make, numeric=not (evaluate and track))


for _n in (1, 2, 3):
    _module(_n)
