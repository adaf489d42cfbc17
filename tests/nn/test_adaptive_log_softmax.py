"""The protocol for ``ndl.nn.adaptive_log_softmax``, what its probabilities are, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ndl
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.adaptive_log_softmax")


def make(T, *args, **options):
    T.manual_seed(3)
    return T.nn.AdaptiveLogSoftmaxWithLoss(*args, **options)


@pytest.mark.parametrize("options", [{}, {"head_bias": True, "div_value": 2.0}])
def test_first_values_and_names_are_pytorchs(options) -> None:
    ours, theirs = make(ndl, 16, 20, [4, 10], **options), make(torch, 16, 20, [4, 10], **options)
    assert repr(ours) == repr(theirs)
    for attribute in ("cutoffs", "shortlist_size", "n_clusters", "head_size", "div_value", "head_bias"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    for _ in range(2):
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values()):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        ours.reset_parameters()
        theirs.reset_parameters()


def test_the_probabilities_are_those_of_all_classes() -> None:
    m = make(ndl, 16, 20, [4, 10], dtype=ndl.float64)
    x, t = ndl.randn(50, 16, dtype=ndl.float64) * 8, ndl.randint(20, (50,))
    l = m.log_prob(x)
    np.testing.assert_allclose(l.exp().sum(1).detach().numpy(), 1, rtol=1e-12)
    found = m(x, t)
    np.testing.assert_allclose(found.output.detach().numpy(), l.detach().numpy()[np.arange(50), t.numpy()], rtol=1e-12)
    assert found.loss.item() == pytest.approx(-found.output.mean().item())
    np.testing.assert_array_equal(m.predict(x).numpy(), l.argmax(1).numpy())


@pytest.mark.parametrize("t", [[0, 1], [5, 6], [19, 19], [3, 4], [12]])
def test_clusters_without_examples(t) -> None:
    def program(T, x):
        m = make(T, 16, 20, [4, 10], dtype=T.float64)
        found = m(x, T.tensor(t))
        return (*found, *T.autograd.grad(found.loss, list(m.parameters()), allow_unused=True, retain_graph=True)[:1])

    same(program, np.random.default_rng(0).standard_normal((len(t), 16)))


REFUSED = [
    (lambda T, m, x: m(x, T.tensor([0, 20])), r"Target values should be in \[0, 19\]"),
    (lambda T, m, x: m(x, T.tensor([0, -1])), r"values in range \[-1, 0\]"),
    (lambda T, m, x: m(x, T.tensor([0])), "same size in the batch dimension"),
    (lambda T, m, x: m(x[:, None], T.tensor([0, 1])), "1D target tensor expects 2D"),
    (lambda T, m, x: m(x, T.tensor(0)), "0D target tensor expects 1D"),
    (lambda T, m, x: m(x, T.tensor([[0], [1]])), "multi-target not supported"),
    (lambda T, m, x: m(x, T.tensor([0.0, 1.0])), "should be int64"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED)
def test_what_pytorch_refuses_is_refused(program, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        raise RuntimeError(refused(lambda T, x: program(T, make(T, 16, 20, [4, 10]), x.float()), np.ones((2, 16))))


def test_an_empty_batch_has_no_mean() -> None:
    with pytest.raises(ValueError, match="the batch is empty"):
        make(ndl, 16, 20, [4, 10])(ndl.zeros(0, 16), ndl.zeros(0, dtype=ndl.int64))


@pytest.mark.parametrize("cutoffs", [[], [0, 3], [3, 3], [5, 3], [20], [2.5]])
def test_cutoffs_that_do_not_rise(cutoffs) -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError, match="cutoffs should be a sequence"):
            T.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs)
