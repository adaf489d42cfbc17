"""The protocol for ``ndl.nn.embedding_loss``, losses by hand, and what is refused."""

import numpy as np
import pytest

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.embedding_loss")


def test_angles_by_hand() -> None:
    a, b = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[4.0, 3.0], [0.0, 1.0], [2.0, 2.0]])
    like = F.cosine_embedding_loss(a, b, np.array([1, 1, 1]), reduction="none")
    np.testing.assert_allclose(like, [1 - 24 / 25, 1, 0], atol=1e-11)
    unlike = F.cosine_embedding_loss(a, b, np.array([-1, -1, -1]), 0.5, reduction="none")
    np.testing.assert_allclose(unlike, [24 / 25 - 0.5, 0, 0.5], atol=1e-11)


def test_triplets_by_hand() -> None:
    """Distances 1 and 2 to the anchor; the positive one is 1 from the negative one."""
    a, p, n = np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])
    np.testing.assert_allclose(F.triplet_margin_loss(a, p, n, margin=3.0, eps=0), 2.0)
    np.testing.assert_allclose(F.triplet_margin_loss(a, p, n, margin=3.0, eps=0, swap=True), 3.0)
    np.testing.assert_allclose(F.triplet_margin_loss(a, p, n, margin=0.5, eps=0), 0.0)


def test_a_function_of_the_users_own() -> None:
    def program(T, a, p, n):
        return T.nn.functional.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: 1 - T.cosine_similarity(x, y), margin=0.7, swap=True
        )

    rng = np.random.default_rng(0)
    same(program, *rng.standard_normal((3, 4, 5)))


def test_shapes_that_broadcast() -> None:
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((1, 3)), rng.standard_normal((1, 3))
    same(lambda T, a, b: T.nn.functional.cosine_embedding_loss(a, b, T.tensor([1, -1, 1]), reduction="none"), x1, x2)
    a, p, n = rng.standard_normal((4, 3)), rng.standard_normal((1, 3)), rng.standard_normal((4, 3))
    same(lambda T, *xs: T.nn.functional.triplet_margin_loss(*xs, reduction="none"), a, p, n)


def test_empty_batches() -> None:
    x = np.zeros((0, 3))
    same(lambda T, a, b: T.nn.functional.cosine_embedding_loss(a, b, T.ones(0), reduction="sum"), x, x)
    same(lambda T, *xs: T.nn.functional.triplet_margin_loss(*xs, reduction="none"), x, x, x)
    for run in (
        lambda: F.cosine_embedding_loss(ndl.zeros(0, 3), ndl.zeros(0, 3), ndl.zeros(0)),
        lambda: F.triplet_margin_loss(ndl.zeros(0, 3), ndl.zeros(0, 3), ndl.zeros(0, 3)),
    ):
        with pytest.raises(ValueError, match="the batch is empty"):
            run()


REFUSED = [
    (lambda T, x: T.nn.functional.cosine_embedding_loss(x, x, T.ones(1, 2)), "multi-target not supported: got [1, 2]"),
    (lambda T, x: T.nn.functional.cosine_embedding_loss(x[0], x[0], T.ones(2)), "1D target tensor expects 2D input"),
    (lambda T, x: T.nn.functional.cosine_embedding_loss(x, x, T.tensor(1)), "0D target tensor expects 1D input"),
    (lambda T, x: T.nn.functional.cosine_embedding_loss(x, x, T.ones(3)), ""),
    (lambda T, x: T.nn.functional.cosine_embedding_loss(x, x[:, :2], T.ones(2)), "must match the size"),
    (lambda T, x: T.nn.functional.triplet_margin_loss(x, x, x[0]), "anchor 2D, positive 2D, and negative 1D"),
    (lambda T, x: T.nn.functional.triplet_margin_loss(x, x[:, :2], x), "must match the size"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED)
def test_what_pytorch_refuses_is_refused(program, message) -> None:
    assert message in refused(program, np.ones((2, 3)))


def test_margins_that_make_no_sense() -> None:
    for program in (
        lambda T, x: T.nn.functional.triplet_margin_loss(x, x, x, margin=0),
        lambda T, x: T.nn.functional.triplet_margin_with_distance_loss(x, x, x, margin=-1.0),
        lambda T, x: T.nn.functional.triplet_margin_loss(x, x, x, reduction="average"),
        lambda T, x: T.nn.TripletMarginLoss(margin=0),
        lambda T, x: T.nn.TripletMarginWithDistanceLoss(margin=0),
    ):
        refused(program, np.ones((2, 3)), error=ValueError)
