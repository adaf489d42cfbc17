"""The protocol for ``ndl.nn.distance``, closed forms, extreme values and what is refused."""

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.distance")


def test_by_hand() -> None:
    np.testing.assert_allclose(F.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])), [24 / 25])
    np.testing.assert_allclose(F.pairwise_distance(np.array([3.0, 0.0]), np.array([0.0, 4.0]), eps=0), 5.0)
    np.testing.assert_allclose(F.normalize(np.array([[3.0, 4.0]])), [[0.6, 0.8]])
    np.testing.assert_allclose(F.normalize(np.array([[3.0, 4.0]]), p=1), [[3 / 7, 4 / 7]])


def test_the_gradient_of_a_direction_is_across_it() -> None:
    rng = np.random.default_rng(0)
    x = ndl.tensor(rng.standard_normal((5, 3)), requires_grad=True)
    (F.normalize(x) * ndl.tensor(rng.standard_normal((5, 3)))).sum().backward()
    np.testing.assert_allclose((x * x.grad).sum(1).detach().numpy(), 0, atol=1e-15)


def test_vectors_of_zeros() -> None:
    x, y = np.zeros((2, 3)), np.ones((2, 3))
    same(lambda T, x, y: T.nn.functional.cosine_similarity(x, y), x, y)
    same(lambda T, x: T.nn.functional.normalize(x), x)
    same(lambda T, x: T.nn.functional.normalize(x, p=3), x)
    same(lambda T, x: T.nn.functional.cosine_similarity(x, x), x)


def test_extreme_values() -> None:
    x, y = np.array([[1e200, 1e-200], [np.inf, 1.0], [np.nan, 1.0], [1e4, -1e4]]), np.full((4, 2), 2.0)
    with np.errstate(all="ignore"):
        for name in ("cosine_similarity", "pairwise_distance"):
            same(lambda T, x, y, name=name: getattr(T.nn.functional, name)(x, y), x[[0, 3]] / 1e100, y[:2])
        same(lambda T, x, y: T.nn.functional.pairwise_distance(x, y), x, y)
        same(lambda T, x: T.nn.functional.normalize(x[3:]), x)


def test_one_element_and_none() -> None:
    for shape in ((1, 1), (0, 3), (3, 1)):
        x = np.full(shape, 2.0)
        for name in ("cosine_similarity", "pairwise_distance"):
            same(lambda T, x, name=name: getattr(T.nn.functional, name)(x, x + 1), x)
        same(lambda T, x: T.nn.functional.normalize(x), x)
    same(lambda T, x, y: T.nn.functional.cosine_similarity(x, y, dim=0), np.array(2.0), np.array(-3.0))
    same(lambda T, x, y: T.nn.functional.pairwise_distance(x, y), np.array(2.0), np.array(-3.0))


def test_integers_and_types() -> None:
    same(lambda T, x: T.nn.functional.pairwise_distance(x, x + 1), np.array([[1, 2]]))
    for T in (ndl, torch):
        mixed = T.cosine_similarity(T.ones(1, 2), T.ones(1, 2, dtype=T.float64))
        assert mixed.dtype == T.float64
        assert T.nn.functional.normalize(T.ones(1, 2)).dtype == T.float32


def test_out_receives_the_result() -> None:
    out = ndl.zeros(1, 2)
    assert F.normalize(ndl.tensor([[3.0, 4.0]]), out=out) is out
    np.testing.assert_allclose(out.numpy(), [[0.6, 0.8]], rtol=1e-6)
    for T in (ndl, torch):
        with pytest.raises(RuntimeError, match="out="):
            T.nn.functional.normalize(T.ones(1, 2, requires_grad=True), out=T.ones(1, 2))


REFUSED = [
    (lambda T, x: T.cosine_similarity(x.long(), x.long()), RuntimeError, "common dtype is int64"),
    (lambda T, x: T.cosine_similarity(x, x[:, :2]), RuntimeError, "must match the size"),
    (lambda T, x: T.cosine_similarity(x, x, dim=2), IndexError, "but got 2"),
    (lambda T, x: T.cosine_similarity(x[0], x[0]), IndexError, "but got 1"),
    (lambda T, x: T.pairwise_distance(x, x[:, :2]), RuntimeError, "must match the size"),
    (lambda T, x: T.nn.functional.normalize(x.long()), RuntimeError, ""),
    (lambda T, x: T.nn.functional.normalize(x[0]), IndexError, "but got 1"),
]


@pytest.mark.parametrize(("program", "error", "message"), REFUSED)
def test_what_pytorch_refuses_is_refused(program, error, message) -> None:
    assert message in refused(program, np.ones((2, 3)), error=error)


def test_modules_are_pytorchs() -> None:
    for make in (lambda nn: nn.CosineSimilarity(0, 1e-3), lambda nn: nn.PairwiseDistance(1.0, 1e-3, True)):
        ours, theirs = make(ndl.nn), make(torch.nn)
        assert repr(ours) == repr(theirs)
        options = {k: v for k, v in vars(theirs).items() if not k.startswith("_") and k != "training"}
        assert {k: getattr(ours, k) for k in options} == options
