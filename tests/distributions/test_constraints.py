"""Each constraint's answer and repr are PyTorch's."""

import numpy as np
import pytest
import torch

import ndl

NUMBERS = np.array([-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, np.inf, -np.inf, np.nan])
MATRICES = np.array([[[1.0, 0], [2, 3]], [[1, 2], [0, 3]], [[0, 0], [2, 3]], [[-1, 0], [0, 1]]])
VECTORS = np.array([[0.25, 0.75], [1, 0], [1, 1], [-0.5, 1.5], [0, 0]])

ON_NUMBERS = ["boolean", "nonnegative_integer", "positive_integer", "real", "positive", "nonnegative", "unit_interval"]
MADE = [
    lambda c: c.greater_than(0.5),
    lambda c: c.greater_than_eq(lower_bound=0.5),
    lambda c: c.less_than(0.5),
    lambda c: c.interval(-1, 1),
    lambda c: c.half_open_interval(-1, 1),
    lambda c: c.integer_interval(0, 2),
]


@pytest.mark.parametrize("make", [*[lambda c, n=name: getattr(c, n) for name in ON_NUMBERS], *MADE])
def test_on_numbers(make) -> None:
    ours, theirs = make(ndl.distributions.constraints), make(torch.distributions.constraints)
    np.testing.assert_array_equal(ours.check(ndl.from_numpy(NUMBERS)), theirs.check(torch.from_numpy(NUMBERS)))
    assert repr(ours) == repr(theirs)
    assert ours.is_discrete == theirs.is_discrete and ours.event_dim == theirs.event_dim


@pytest.mark.parametrize("name", ["simplex", "one_hot", "real_vector", "lower_triangular", "lower_cholesky", "square"])
def test_on_vectors_and_matrices(name: str) -> None:
    x = VECTORS if name in ("simplex", "one_hot", "real_vector") else MATRICES
    ours, theirs = getattr(ndl.distributions.constraints, name), getattr(torch.distributions.constraints, name)
    np.testing.assert_array_equal(ours.check(ndl.from_numpy(x)), theirs.check(torch.from_numpy(x)))
    assert repr(ours).replace("Constraint", "") == repr(theirs).replace("Constraint", "")
    assert ours.event_dim == theirs.event_dim and ours.is_discrete == theirs.is_discrete


def test_what_depends_on_the_object_is_known_on_the_object_only() -> None:
    for T in (ndl, torch):
        c, D = T.distributions.constraints, T.distributions
        assert c.is_dependent(D.Uniform.support) and not c.is_dependent(D.Uniform(0.0, 1.0).support)
        assert D.Uniform.support.event_dim == 0 and D.Categorical.support.is_discrete
        with pytest.raises(NotImplementedError):
            assert D.Independent.support.event_dim
        with pytest.raises(ValueError):
            c.independent(c.real, 2).check(T.zeros(3))


def test_bounds_are_named() -> None:
    with pytest.raises(TypeError, match="Interval takes lower_bound, upper_bound"):
        ndl.distributions.constraints.interval(1)
