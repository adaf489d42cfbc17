"""Cases of ``ndl.nn.local_response_norm``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("nn.local_response_norm.local_response_norm")
def function(d: Draw) -> Program:
    size, alpha, beta, k = d.size(1, 7), d.choice([1e-4, 0.7]), d.choice([0.75, 1.5]), d.choice([1.0, 2.0])
    x = d.normal(d.size(1, 3), d.size(1, 6), *d.shape(1, 3, high=4))

    def run(T: Any, x: Any) -> Any:
        # PyTorch looks at a four-dimensional input through a view, which a strided one does not allow.
        return T.nn.functional.local_response_norm(x.contiguous(), size, alpha, beta, k)

    return Program(run, x)


@case("nn.local_response_norm.LocalResponseNorm")
def module(d: Draw) -> Program:
    size, alpha = d.size(1, 6), d.choice([1e-4, 2.0])
    x = d.normal(d.size(1, 3), d.size(1, 6), *d.shape(1, 2, high=4))
    return Program(lambda T, m, x: m(x.contiguous()), x, module=lambda T: T.nn.LocalResponseNorm(size, alpha))
