import math

import numpy as np
import pytest

import ndl
from tests.both import same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.linalg")

X = np.random.default_rng(0).standard_normal((3, 4, 5))


def test_forms():
    same(lambda T, x: (T.linalg.norm(x), T.linalg.norm(x, dim=1), T.linalg.norm(x, "fro", (0, 2), True)), X)
    same(
        lambda T, x: (
            T.linalg.norm(x, 1),
            T.linalg.norm(x, ord=2, dim=0),
            T.linalg.norm(x, -math.inf),
            T.linalg.norm(x[0], 3),
        ),
        X[0],
    )
    same(lambda T, x: (T.linalg.vector_norm(x, 3, (0, 1), True), T.linalg.vector_norm(x, axis=2)), X)
    same(
        lambda T, x: (
            T.linalg.matrix_norm(x),
            T.linalg.matrix_norm(x, 1, (0, 2)),
            T.linalg.matrix_norm(x, math.inf, keepdim=True),
        ),
        X,
    )


@pytest.mark.parametrize("p", ["fro", 1, -1, math.inf, -math.inf])
def test_matrix_norms_are_numpy_s(p) -> None:
    ours = ndl.linalg.matrix_norm(ndl.from_numpy(X), p).numpy()
    assert np.allclose(ours, [np.linalg.norm(m, p) for m in X])
    assert np.allclose(np.linalg.norm(ndl.from_numpy(X), p, axis=(0, 1)).numpy(), np.linalg.norm(X, p, axis=(0, 1)))


def test_singular_values_are_not_here():
    for p in (2, -2, "nuc"):
        with pytest.raises(RuntimeError, match=f"Order {p} not supported in ndl: it needs singular values"):
            ndl.linalg.matrix_norm(ndl.ones(2, 2), p)


@refusals(
    (lambda T, x, z: T.linalg.matrix_norm(x[0]), "must have at least 2 dimensions"),
    (lambda T, x, z: T.linalg.matrix_norm(x, "what"), "Order what not supported"),
    (lambda T, x, z: T.linalg.matrix_norm(x, 3), "Order 3 not supported"),
    (lambda T, x, z: T.linalg.matrix_norm(x, dim=(0, 0)), "dims must be different. Got (0, 0)"),
    (lambda T, x, z: T.linalg.matrix_norm(x, dim=(0, 5)), "Dimension out of range"),
    (lambda T, x, z: T.linalg.norm(x, "fro", dim=0), "dim must be a 2-tuple"),
    (lambda T, x, z: T.linalg.norm(x[None], 1), "the input must be 1D or 2D. Got 3D"),
    (lambda T, x, z: T.linalg.vector_norm(x.long()), "Expected a floating point or complex tensor"),
    (lambda T, x, z: T.linalg.vector_norm(x, dtype=T.float16), "should be convertible without narrowing"),
)
def test_refused(program, message):
    check(program, message)
