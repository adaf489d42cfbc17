"""What distributions check: parameters, values, shapes; and what they show of themselves."""

import numpy as np
import pytest
import torch

import ndl

WRONG = [
    lambda T, D: D.Normal(0.0, -1.0),
    lambda T, D: D.Normal(T.tensor([0.0, np.nan]), 1.0),
    lambda T, D: D.Normal("a", 1.0),
    lambda T, D: D.Normal(0.0, 1.0).log_prob(T.tensor(np.nan)),
    lambda T, D: D.Normal(0.0, 1.0).log_prob(1.0),
    lambda T, D: D.Normal(T.zeros(3), 1.0).log_prob(T.zeros(2)),
    lambda T, D: D.Uniform(1.0, 0.0),
    lambda T, D: D.Uniform(0.0, 1.0).log_prob(T.tensor(2.0)),
    lambda T, D: D.Bernoulli(1.5),
    lambda T, D: D.Bernoulli(),
    lambda T, D: D.Bernoulli(0.5, 0.5),
    lambda T, D: D.Bernoulli(0.5).log_prob(T.tensor(0.5)),
    lambda T, D: D.Categorical(),
    lambda T, D: D.Categorical(T.tensor(0.5)),
    lambda T, D: D.Categorical(logits=T.tensor(0.5)),
    lambda T, D: D.Categorical(T.tensor([0.5, -0.5, 1.0])),
    lambda T, D: D.Categorical(T.tensor([0.5, 0.5])).log_prob(T.tensor(2)),
    lambda T, D: D.OneHotCategorical(T.tensor([0.5, 0.5])).log_prob(T.tensor([1.0, 1.0])),
    lambda T, D: D.OneHotCategorical(T.tensor([0.5, 0.5])).log_prob(T.tensor([1.0, 0.0, 0.0])),
    lambda T, D: D.Exponential(0.0),
    lambda T, D: D.Exponential(1.0).log_prob(T.tensor(-1.0)),
    lambda T, D: D.Laplace(0.0, 0.0),
    lambda T, D: D.LogNormal(0.0, 1.0).log_prob(T.tensor(-1.0)),
    lambda T, D: D.HalfNormal(1.0).cdf(T.tensor(-1.0)),
    lambda T, D: D.Independent(D.Normal(T.zeros(2), 1.0), 2),
    lambda T, D: D.TransformedDistribution(D.Normal(0.0, 1.0), "a"),
    lambda T, D: D.TransformedDistribution(D.Normal(0.0, 1.0), [1]),
    lambda T, D: D.transforms.ExpTransform(cache_size=2),
    lambda T, D: D.constraints.dependent.check(T.zeros(1)),
]


@pytest.mark.parametrize("run", WRONG)
def test_wrong_arguments_raise_value_errors_as_in_pytorch(run) -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError):
            run(T, T.distributions)


NOT_THERE = [
    lambda T, D: D.Bernoulli(0.5).rsample(),
    lambda T, D: D.Bernoulli(0.5).cdf(T.tensor(1.0)),
    lambda T, D: D.Categorical(T.ones(2)).icdf(T.tensor(0.5)),
    lambda T, D: D.Normal(0.0, 1.0).enumerate_support(),
    lambda T, D: D.LogNormal(T.zeros(2), 1.0).base_dist.enumerate_support(),
    lambda T, D: D.Independent(D.Bernoulli(T.ones(2) / 2), 1).enumerate_support(),
    lambda T, D: D.kl_divergence(D.Normal(0.0, 1.0), D.Bernoulli(0.5)),
    lambda T, D: D.kl_divergence(
        D.Independent(D.Normal(T.zeros(2), 1.0), 1), D.Independent(D.Normal(T.zeros(2), 1.0), 0)
    ),
    lambda T, D: D.kl_divergence(D.LogNormal(0.0, 1.0), D.TransformedDistribution(D.Normal(0.0, 1.0), [])),
]


@pytest.mark.parametrize("run", NOT_THERE)
def test_what_has_no_answer_says_so(run) -> None:
    for T in (ndl, torch):
        with pytest.raises(NotImplementedError):
            run(T, T.distributions)


def test_messages_name_what_was_given_and_wanted() -> None:
    with pytest.raises(
        ValueError, match=r"parameter scale .* to satisfy the constraint GreaterThan\(lower_bound=0.0\)"
    ):
        ndl.distributions.Normal(0.0, -1.0)
    with pytest.raises(
        ValueError, match=r"within the support \(Boolean\(\)\) of the distribution Bernoulli\(probs: 0.5"
    ):
        ndl.distributions.Bernoulli(0.5).log_prob(ndl.tensor(2.0))
    with pytest.raises(ValueError, match=r"not broadcastable with batch_shape\+event_shape: .*\[2\].* vs .*\[3\]"):
        ndl.distributions.Normal(ndl.zeros(3), 1.0).log_prob(ndl.zeros(2))


def test_checks_can_be_left_out() -> None:
    for T in (ndl, torch):
        D = T.distributions
        assert D.Normal(0.0, -1.0, validate_args=False).stddev == -1
        assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(T.tensor(2.0)) == -np.inf
        D.Distribution.set_default_validate_args(False)
        try:
            D.Exponential(-1.0)
        finally:
            D.Distribution.set_default_validate_args(True)
        with pytest.raises(ValueError):
            D.Exponential(-1.0)
        with pytest.raises(ValueError):
            D.Distribution.set_default_validate_args("yes")


MAKERS = [
    lambda T, D: D.Normal(0.0, 1.0),
    lambda T, D: D.Normal(T.zeros(2, 3), T.ones(3)),
    lambda T, D: D.Uniform(T.zeros(2), 1.0),
    lambda T, D: D.Bernoulli(0.25),
    lambda T, D: D.Bernoulli(logits=T.zeros(2)),
    lambda T, D: D.Categorical(T.ones(2, 3)),
    lambda T, D: D.Categorical(logits=T.ones(3)),
    lambda T, D: D.OneHotCategorical(T.ones(2, 3)),
    lambda T, D: D.Exponential(T.ones(2)),
    lambda T, D: D.Laplace(0.0, T.ones(2)),
    lambda T, D: D.LogNormal(0.0, T.ones(2)),
    lambda T, D: D.HalfNormal(T.ones(2)),
    lambda T, D: D.Independent(D.Normal(T.zeros(2, 3), 1.0), 1),
    lambda T, D: D.Independent(D.Bernoulli(T.ones(2, 3) / 2), 2),
    lambda T, D: D.TransformedDistribution(D.Normal(T.zeros(2), 1.0), [D.AffineTransform(T.zeros(4, 1), 2.0, 1)]),
]


@pytest.mark.parametrize("make", MAKERS)
def test_shapes_flags_and_reprs_are_pytorchs(make) -> None:
    ours, theirs = make(ndl, ndl.distributions), make(torch, torch.distributions)
    assert repr(ours).replace("ndl.", "torch.") == repr(theirs)
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape) and tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample and ours.has_enumerate_support == theirs.has_enumerate_support
    wide = ours.expand((5, *ours.batch_shape))
    assert wide.sample((2,)).shape == (2, 5, *ours.batch_shape, *ours.event_shape)
    assert wide.log_prob(wide.sample()).shape == (5, *ours.batch_shape)
    assert wide.expand((1, 5, *ours.batch_shape)).batch_shape == (1, 5, *ours.batch_shape)


def test_a_subclass_with_its_own_init_must_expand_itself() -> None:
    class Standard(ndl.distributions.Normal):
        def __init__(self) -> None:
            super().__init__(0.0, 1.0)

    with pytest.raises(NotImplementedError, match=r"must also define a custom \.expand"):
        Standard().expand((3,))


def test_numbers_take_the_default_type_and_that_of_tensors() -> None:
    assert ndl.distributions.Normal(0, 1).sample().dtype == ndl.float32
    assert ndl.distributions.Normal(ndl.zeros(2, dtype=ndl.float64), 1).sample().dtype == ndl.float64
