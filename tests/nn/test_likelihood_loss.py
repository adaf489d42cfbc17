"""The protocol for ``ndl.nn.likelihood_loss``, the densities behind the losses, and what is refused."""

import math

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.likelihood_loss")


def test_gaussian_is_minus_the_log_of_the_density() -> None:
    x, t, v = 0.3, 1.1, 0.7
    density = math.exp(-((t - x) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
    L = F.gaussian_nll_loss(np.array([x]), np.array([t]), np.array([v]), full=True)
    np.testing.assert_allclose(L, -math.log(density), rtol=1e-14)


def test_poisson_is_minus_the_log_of_the_probability() -> None:
    """Up to Stirling's formula, which is right to 1/12t."""
    for k in (5, 50):
        p = math.exp(-4.2) * 4.2**k / math.factorial(k)
        L = F.poisson_nll_loss(np.array([4.2]), np.array([float(k)]), log_input=False, full=True)
        np.testing.assert_allclose(L, -math.log(p), atol=1 / (12 * k))
        np.testing.assert_allclose(F.poisson_nll_loss(np.log([4.2]), np.array([float(k)]), full=True), L, rtol=1e-7)


def test_kl_divergence_is_zero_for_equals_and_positive_else() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), 3), rng.dirichlet(np.ones(5), 3)
    np.testing.assert_allclose(F.kl_div(np.log(p), p, reduction="batchmean"), 0, atol=1e-15)
    D = F.kl_div(np.log(q), p, reduction="batchmean")
    assert D > 0
    np.testing.assert_allclose(D, (p * np.log(p / q)).sum() / 3, rtol=1e-13)
    np.testing.assert_allclose(F.kl_div(np.log(q), np.log(p), reduction="batchmean", log_target=True), D, rtol=1e-13)


def test_the_mean_of_kl_div_warns() -> None:
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(ndl.zeros(2), ndl.ones(2))


def test_probabilities_of_nothing() -> None:
    """Of 0 log 0 = 0 the input's gradient is 0; the target's, −∞ in the limit, is nan, as PyTorch's."""
    x, t = np.array([-1.0, -np.inf, -2.0]), np.array([0.0, 0.0, 1.0])
    same(lambda T, x, t: T.nn.functional.kl_div(x, t.detach(), reduction="none"), x, t)
    leaf = ndl.tensor(t, requires_grad=True)
    F.kl_div(ndl.tensor(x), leaf, reduction="none")[::2].sum().backward()
    assert math.isnan(leaf.grad[0].item()) and leaf.grad[2].item() == 3.0


def test_extreme_rates() -> None:
    x, t = np.array([1e4, -1e4, np.inf, 0.0]), np.array([1.0, 2.0, 3.0, 0.0])
    for full in (False, True):
        same(
            lambda T, x, t, full=full: T.nn.functional.poisson_nll_loss(x, t.detach(), full=full, reduction="none"),
            x,
            t,
        )
        same(
            lambda T, x, t, full=full: T.nn.functional.poisson_nll_loss(
                x, t.detach(), log_input=False, full=full, reduction="none"
            ),
            np.abs(x),
            t,
        )


def test_counts_may_be_integers() -> None:
    """PyTorch takes the logarithms of integers in float32."""
    x, t = np.array([0.5, 1.5]), np.array([1, 3])
    L = F.poisson_nll_loss(x, t, full=True)
    assert F.poisson_nll_loss(x, t.astype(float), full=True) == L
    theirs = torch.nn.functional.poisson_nll_loss(torch.tensor(x), torch.tensor(t), full=True)
    np.testing.assert_allclose(L, theirs.item(), rtol=1e-7)


def test_integers_have_no_divergence() -> None:
    message = refused(lambda T, x, t: T.nn.functional.kl_div(x, t, reduction="sum"), np.array([1.0]), np.array([1]))
    assert "Integral inputs not supported" in message


@pytest.mark.parametrize("shape", [(2,), (4, 3), (1,), (3, 1, 1), (1, 1)])
def test_variances_of_another_shape(shape) -> None:
    x = np.ones((4, 2))
    message = refused(lambda T, x, v: T.nn.functional.gaussian_nll_loss(x, x, v), x, np.ones(shape), error=ValueError)
    assert f"{list(shape)} for an input of [4, 2]" in message


def test_negative_variances() -> None:
    x = np.ones(2)
    for v in (np.array([1.0, -2.0]), np.array([-1e-9, 0])):
        refused(lambda T, x, v: T.nn.functional.gaussian_nll_loss(x, x, v), x, v, error=ValueError)
    for T in (ndl, torch):
        with pytest.raises(ValueError, match="var has negative entry"):
            T.nn.functional.gaussian_nll_loss(T.ones(2), T.ones(2), -1.0)


def test_empty_batches() -> None:
    x = np.zeros((0, 3))
    for reduction in ("sum", "none"):
        same(lambda T, x, r=reduction: T.nn.functional.kl_div(x, x.detach(), reduction=r), x)
        same(lambda T, x, r=reduction: T.nn.functional.gaussian_nll_loss(x, x.detach(), T.ones_like(x), reduction=r), x)
    with pytest.raises(ValueError, match="the batch is empty"):
        F.kl_div(ndl.zeros(0, 3), ndl.zeros(0, 3), reduction="batchmean")


def test_a_variance_of_integers() -> None:
    """A number beside an integer input is not cut to an integer, and an integer tensor is refused."""
    gaussian = lambda T, *a: T.nn.functional.gaussian_nll_loss(*a)
    found = [gaussian(T, T.tensor([1, 2]), T.tensor([1.5, 2.0]), 0.75) for T in (ndl, torch)]
    assert found[0].dtype == ndl.float32 and abs(found[0].item() - found[1].item()) < 1e-6
    same(lambda T, x, t: gaussian(T, x, t, 2.0), np.array([1.0, 2.0]), np.array([1.5, 2.0]))
    refused(gaussian, np.array([1.0, 2.0]), np.array([1.5, 2.0]), np.array([1, 2]))
