"""Samples: PyTorch's own numbers from the same seed, moments, and gradients that go where they should."""

import numpy as np
import pytest
import torch

import ndl

MAKERS = {
    "Normal": lambda T, D, p: D.Normal(p, p + 0.5),
    "LogNormal": lambda T, D, p: D.LogNormal(p, p),
    "HalfNormal": lambda T, D, p: D.HalfNormal(p),
    "Uniform": lambda T, D, p: D.Uniform(-p, p),
    "Exponential": lambda T, D, p: D.Exponential(p),
    "Laplace": lambda T, D, p: D.Laplace(p, p),
    "Bernoulli": lambda T, D, p: D.Bernoulli(p),
    "Categorical": lambda T, D, p: D.Categorical(p),
    "OneHotCategorical": lambda T, D, p: D.OneHotCategorical(p),
    "Independent": lambda T, D, p: D.Independent(D.Normal(p, 1.0), 1),
    "Transformed": lambda T, D, p: D.TransformedDistribution(D.Normal(p, 1.0), [D.TanhTransform(cache_size=1)]),
}
P = np.array([[0.2, 0.7, 0.5], [0.9, 0.1, 0.3]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MAKERS)
def test_samples_are_pytorchs(name: str, dtype: type) -> None:
    """One after the other from one stream: sample, rsample where there is one, sample again."""
    found = []
    for T in (ndl, torch):
        T.manual_seed(7)
        p = MAKERS[name](T, T.distributions, T.from_numpy(P.astype(dtype)))
        draws = [p.sample(), p.sample((5,))]
        if p.has_rsample:
            draws.append(p.rsample((2, 3)))
        found.append([d.numpy() for d in [*draws, p.sample(())]])
    for ours, theirs in zip(*found):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=4 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("Categorical", "Transformed")])
def test_moments_of_samples(name: str) -> None:
    ndl.manual_seed(0)
    p = MAKERS[name](ndl, ndl.distributions, ndl.from_numpy(P))
    draws, mean, variance = p.sample((20_000,)).numpy(), p.mean.numpy(), p.variance.numpy()
    error = np.sqrt(variance / len(draws))
    assert (np.abs(draws.mean(0) - mean) < 5 * error).all()
    np.testing.assert_allclose(draws.var(0), variance, rtol=0.25)


def test_a_sample_has_no_gradient_and_an_rsample_has() -> None:
    m = ndl.zeros(3, requires_grad=True)
    p = ndl.distributions.Normal(m, 1.0)
    assert not p.sample().requires_grad
    p.rsample((4,)).sum().backward()
    np.testing.assert_array_equal(m.grad, [4, 4, 4])


def test_score_function_and_reparametrisation_estimate_one_gradient() -> None:
    """d/dμ E[x²] = 2μ, both ways, for N(μ, 1) at μ = 1.5."""
    ndl.manual_seed(0)
    m = ndl.tensor(1.5, dtype=ndl.float64, requires_grad=True)
    p = ndl.distributions.Normal(m, 1.0)
    x = p.sample((100_000,))
    (score,) = ndl.autograd.grad((p.log_prob(x) * x.square()).mean(), m)
    (pathwise,) = ndl.autograd.grad(p.rsample((100_000,)).square().mean(), m)
    assert abs(score.item() - 3) < 0.1 and abs(pathwise.item() - 3) < 0.03


def test_densities_integrate_to_one_and_cdf_is_their_integral() -> None:
    D = ndl.distributions
    x = ndl.linspace(1e-4, 30, 300_001, dtype=ndl.float64)
    for p in (D.Exponential(0.7), D.LogNormal(0.0, 0.5), D.HalfNormal(2.0), D.Uniform(0.0, 30.0)):
        density = p.log_prob(x).exp().numpy()
        assert abs(np.trapezoid(density, x.numpy()) - 1) < 1e-3
        running = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x.numpy()))])
        np.testing.assert_allclose(p.cdf(x).numpy(), running, atol=1e-3)
        q = ndl.tensor([0.1, 0.5, 0.9])
        np.testing.assert_allclose(p.cdf(p.icdf(q)), q, rtol=1e-5)


def test_probabilities_of_enumerated_values_sum_to_one() -> None:
    D = ndl.distributions
    for p in (D.Bernoulli(ndl.tensor([0.2, 0.9])), D.Categorical(ndl.tensor([[1.0, 2, 3], [1, 1, 0]]))):
        for expand in (True, False):
            np.testing.assert_allclose(p.log_prob(p.enumerate_support(expand)).exp().sum(0), [1, 1], rtol=1e-6)


def test_extreme_values() -> None:
    for T in (ndl, torch):
        D = T.distributions
        assert D.Normal(0.0, 1.0).log_prob(T.tensor(np.inf)) == -np.inf
        assert D.Normal(0.0, 1.0).icdf(T.tensor([0.0, 1.0])).tolist() == [-np.inf, np.inf]
        assert D.Bernoulli(1.0).log_prob(T.tensor(0.0)) < -15
        assert D.Bernoulli(logits=1e4).log_prob(T.tensor([0.0, 1.0])).tolist() == [-1e4, 0.0]
        assert D.Categorical(T.tensor([1.0, 0.0])).entropy() == pytest.approx(0, abs=1e-6)
        assert D.Categorical(logits=T.tensor([0.0, -np.inf])).entropy() == 0
        assert D.Bernoulli(T.tensor([0.2, 0.5, 0.9])).mode.isnan().tolist() == [False, True, False]


def test_empty_batches() -> None:
    D = ndl.distributions
    p = D.Normal(ndl.zeros(0, 3), 1.0)
    assert p.sample((2,)).shape == (2, 0, 3) and p.log_prob(ndl.zeros(0, 3)).shape == (0, 3)
    assert D.Independent(p, 1).entropy().shape == (0,)
