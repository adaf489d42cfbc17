"""The registry of divergences: nearest classes, ambiguity, closed forms against sums and integrals."""

import warnings

import numpy as np
import pytest

import ndl
from ndl.distributions import kl

D = ndl.distributions


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry to write in."""
    monkeypatch.setattr(kl, "REGISTRY", dict(kl.REGISTRY))
    monkeypatch.setattr(kl, "FOUND", {})


def test_a_divergence_is_the_expectation_it_stands_for() -> None:
    ndl.manual_seed(0)
    for p, q in [
        (D.Normal(0.3, 0.8), D.Normal(-0.2, 1.3)),
        (D.Normal(0.3, 0.8), D.Laplace(-0.2, 1.3)),
        (D.Laplace(0.3, 0.8), D.Normal(-0.2, 1.3)),
        (D.Exponential(1.5), D.Normal(0.2, 1.3)),
        (D.Uniform(0.5, 1.5), D.Exponential(0.7)),
        (D.Uniform(0.5, 1.5), D.Normal(0.2, 1.3)),
        (D.LogNormal(0.3, 0.8), D.LogNormal(-0.2, 1.3)),
        (D.HalfNormal(0.8), D.HalfNormal(1.3)),
    ]:
        x = p.sample((100_000,))
        difference = (p.log_prob(x) - q.log_prob(x)).numpy()
        error = difference.std() / np.sqrt(len(difference)) + 1e-6
        assert abs(D.kl_divergence(p, q).item() - difference.mean()) < 5 * error


def test_nothing_is_lost_by_taking_p_for_p() -> None:
    for p in (
        D.Normal(1.0, 2.0),
        D.Bernoulli(0.3),
        D.Categorical(ndl.ones(3)),
        D.Laplace(1.0, 2.0),
        D.Uniform(0.0, 2.0),
    ):
        assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-6)


def test_a_subclass_uses_the_formula_of_the_nearest_class(registry: None) -> None:
    class Mine(D.Normal):
        pass

    p = Mine(0.0, 1.0)
    assert D.kl_divergence(p, D.Normal(0.0, 2.0)) == D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(0.0, 2.0))
    D.register_kl(Mine, D.Normal)(lambda p, q: "mine")
    assert D.kl_divergence(p, D.Normal(0.0, 2.0)) == "mine"
    assert D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(0.0, 1.0)) == 0


def test_an_ambiguous_pair_warns(registry: None) -> None:
    class Mine(D.Normal):
        pass

    D.register_kl(Mine, D.Normal)(lambda p, q: "left")
    D.register_kl(D.Normal, Mine)(lambda p, q: "right")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == "left"
    assert "Please register_kl(Mine, Mine)" in str(caught[0].message)


def test_only_distributions_have_divergences() -> None:
    with pytest.raises(TypeError, match="Expected type_q to be a Distribution subclass but got <class 'int'>"):
        D.register_kl(D.Normal, int)
