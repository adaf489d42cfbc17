"""Cases of ``ndl.nn.adaptive_log_softmax``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

CUTOFFS = [[1], [3], [2, 5], [1, 2, 6]]


def _options(d: Draw) -> tuple[int, dict[str, Any]]:
    """Features and the other arguments; every cluster keeps a feature."""
    options = {"cutoffs": d.choice(CUTOFFS), "div_value": d.choice([1.0, 1.5, 2.0]), "head_bias": d.boolean()}
    return d.size(8, 11), options


@case("nn.adaptive_log_softmax.AdaptiveLogSoftmaxWithLoss")
def adaptive(d: Draw) -> Program:
    I, options = _options(d)
    N, C = d.size(1, 6), d.size(7, 9)
    return Program(
        lambda T, m, x, t: tuple(m(x, t)),
        d.normal(N, I),
        d.integers(0, C - 1, N),
        module=lambda T: T.nn.AdaptiveLogSoftmaxWithLoss(I, C, **options),
    )


@case("nn.adaptive_log_softmax.one_example")
def one_example(d: Draw) -> Program:
    I, options = _options(d)
    return Program(
        lambda T, m, x, t: tuple(m(x, t)),
        d.normal(I),
        np.array(d.size(0, 6)),
        module=lambda T: T.nn.AdaptiveLogSoftmaxWithLoss(I, 7, **options),
    )


@case("nn.adaptive_log_softmax.log_prob")
def log_prob(d: Draw) -> Program:
    I, options = _options(d)
    return Program(
        lambda T, m, x: (m.log_prob(x), m.predict(x)),
        d.normal(d.size(1, 6), I),
        module=lambda T: T.nn.AdaptiveLogSoftmaxWithLoss(I, 7, **options),
    )
