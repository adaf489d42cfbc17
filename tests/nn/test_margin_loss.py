"""The protocol for ``ndl.nn.margin_loss``, losses computed by loops, and what is refused."""

import numpy as np
import pytest

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.margin_loss")

RNG = np.random.default_rng(0)


def test_multi_margin_by_loops() -> None:
    x, t, w = RNG.standard_normal((4, 5)), RNG.integers(0, 5, 4), RNG.uniform(1, 2, 5)
    for p in (1, 2):
        L = [
            sum(w[t[n]] * max(0, 0.7 - x[n, t[n]] + x[n, i]) ** p for i in range(5) if i != t[n]) / 5 for n in range(4)
        ]
        np.testing.assert_allclose(F.multi_margin_loss(x, t, p, 0.7, w, reduction="none"), L, rtol=1e-13)


def test_multilabel_margin_by_loops() -> None:
    """Labels after the first −1 do not count, and a label that is named twice counts twice."""
    x, t = RNG.standard_normal((3, 4)), np.array([[3, 0, -1, 1], [1, 1, 2, 0], [-1, 1, 2, 3]])
    L = []
    for row, labels in zip(x, [[3, 0], [1, 1, 2, 0], []]):
        L.append(sum(max(0, 1 - row[j] + row[i]) for j in labels for i in range(4) if i not in labels) / 4)
    np.testing.assert_allclose(F.multilabel_margin_loss(x, t, reduction="none"), L, rtol=1e-13)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_scores_of_one_sample(reduction) -> None:
    x = np.array([0.1, 0.5, -0.3])
    for t in (np.array(1), np.array([1])):
        same(lambda T, x, t: T.nn.functional.multi_margin_loss(x, t, reduction=reduction), x, t)
    same(lambda T, x, t: T.nn.functional.multilabel_margin_loss(x, t, reduction=reduction), x, np.array([2, 0, -1]))
    for name in ("multi_margin_loss", "multilabel_margin_loss"):
        same(
            lambda T, x, t, name=name: getattr(T.nn.functional, name)(x, t, reduction=reduction),
            np.array(0.3),
            np.array(0),
        )


def test_extreme_scores() -> None:
    x = np.array([[1e4, -1e4, 0.0], [np.inf, 1.0, 0.0], [1.0, np.nan, 0.0]])
    same(lambda T, x: T.nn.functional.multi_margin_loss(x[:2], T.tensor([1, 0]), reduction="none"), x)
    same(lambda T, x: T.nn.functional.hinge_embedding_loss(x[:2], T.tensor([-1.0, 1, -1]), reduction="none"), x)
    same(lambda T, x: T.nn.functional.multilabel_margin_loss(x[:1], T.tensor([[1, -1, 0]]), reduction="none"), x)


def test_empty_batches() -> None:
    """PyTorch's sum and mean of no margins are whatever was in its memory."""
    x = np.zeros((0, 3))
    assert F.multi_margin_loss(ndl.zeros(0, 3), ndl.zeros(0).long(), reduction="sum").item() == 0
    same(lambda T, x, t: T.nn.functional.multilabel_margin_loss(x, t, reduction="none"), x, x.astype(np.int64))
    for run in (
        lambda: F.multi_margin_loss(ndl.zeros(0, 3), ndl.zeros(0).long()),
        lambda: F.multilabel_margin_loss(ndl.zeros(0, 3), ndl.zeros(0, 3).long()),
        lambda: F.margin_ranking_loss(ndl.zeros(0), ndl.zeros(0), ndl.zeros(0)),
    ):
        with pytest.raises(ValueError, match="the batch is empty"):
            run()


X = np.ones((2, 3))
REFUSED = [
    (lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1, 5])), "classes go from 0 to 2, but got 1 to 5"),
    (lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1, -1])), "but got -1 to 1"),
    (lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1])), "[1] for an input of [2, 3]"),
    (lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1.0, 0.0])), "must be int64"),
    (
        lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1, 0]), weight=T.ones(2, dtype=T.float64)),
        "expected 3 but got [2]",
    ),
    (
        lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([1, 0]), weight=x[0]),
        "not differentiable with respect to argument 'weight'",
    ),
    (lambda T, x: T.nn.functional.multi_margin_loss(x[:, :0], T.tensor([1, 0])), "at least one class"),
    (lambda T, x: T.nn.functional.multilabel_margin_loss(x, T.tensor([[0, 1]])), "[1, 2] for input of size: [2, 3]"),
    (lambda T, x: T.nn.functional.multilabel_margin_loss(x[0], T.tensor([0, 3, -1])), "but got -1 to 3"),
    (lambda T, x: T.nn.functional.multilabel_margin_loss(x[0], T.tensor([0, -2, -1])), "but got -2 to 0"),
    (lambda T, x: T.nn.functional.multilabel_margin_loss(x[None], T.zeros(1, 2, 3).long()), "(N, C) or (C)"),
    (lambda T, x: T.nn.functional.margin_ranking_loss(x, x, x[0]), "input2: [2, 3], target: [3]"),
    (lambda T, x: T.nn.functional.margin_ranking_loss(x, x[:, :2], x), "must match the size"),
    (lambda T, x: T.nn.functional.hinge_embedding_loss(x, T.ones(2)), "must match the size"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_pytorch_refuses_is_refused(program, message) -> None:
    assert message in refused(program, X)


def test_options_that_make_no_sense() -> None:
    for program in (
        lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([0, 1]), p=3),
        lambda T, x: T.nn.functional.multi_margin_loss(x, T.tensor([0, 1]), weight=T.ones(1, 3)),
        lambda T, x: T.nn.MultiMarginLoss(p=3),
        lambda T, x: T.nn.MultiMarginLoss(weight=T.ones(1, 3)),
    ):
        refused(program, X, error=ValueError)
