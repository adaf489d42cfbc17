"""Cases of ``ndl.ops.linalg``."""

import math
from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.norms import ORDERS
from ndl.verify.cases.reduction import some_dims


@case("ops.linalg.vector_norm")
def vector_norm(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    p, dim, keepdim = d.choice(ORDERS), some_dims(d, x.ndim), d.boolean()
    return Program(lambda T, x: T.linalg.vector_norm(x, p, dim, keepdim), x)


@case("ops.linalg.vector_norm.zeros")
def vector_norm_with_zeros(d: Draw) -> Program:
    """Zeros among other numbers, and nothing but zeros: for p < 1 one slope is infinite there, for p > 1 the other."""
    x = np.array([[0.0, 2.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 1.0, -3.0]])[:, d.rng().permutation(4)]

    def run(T: Any, x: Any) -> Any:
        return tuple(T.linalg.vector_norm(x, p, 1) for p in (0.5, 1, 1.5, 2, 3, math.inf, -math.inf))

    return Program(run, x, numeric=False)


@case("ops.linalg.vector_norm.nan")
def vector_norm_with_nan(d: Draw) -> Program:
    """The largest of several is nan if one of them is."""
    x = np.array([[np.nan, 2.0, -1.0, 0.0], [np.nan, 1.0, np.nan, 0.0], [3.0, 0.0, 1.0, -3.0]])
    run = lambda T, x: (T.linalg.vector_norm(x, math.inf, 1), T.linalg.vector_norm(x, -math.inf, 1))
    return Program(run, x[:, d.rng().permutation(4)], numeric=False)


@case("ops.linalg.matrix_norm")
def matrix_norm(d: Draw) -> Program:
    x = d.distinct(*d.shape(min_dims=2, low=2))
    p, keepdim = d.choice(["fro", 1, -1, math.inf, -math.inf]), d.boolean()
    rows = d.integer(0, x.ndim - 1)
    columns = (rows + d.integer(1, x.ndim - 1)) % x.ndim - d.choice([0, x.ndim])
    return Program(
        lambda T, x: (T.linalg.matrix_norm(x, p, keepdim=keepdim), T.linalg.matrix_norm(x, p, (rows, columns))), x
    )


@case("ops.linalg.norm")
def norm(d: Draw) -> Program:
    x = d.distinct(*d.shape(min_dims=1, max_dims=2, low=2))
    p = d.choice([1, -1, math.inf, -math.inf])
    return Program(lambda T, x: (T.linalg.norm(x), T.linalg.norm(x, p), T.linalg.norm(x, p, 0, True)), x)
