"""Cases of ``ndl.nn.embedding_loss``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _sign(d: Draw, *shape: int) -> np.ndarray:
    return np.where(d.mask(*shape), 1.0, -1.0)


@case("nn.embedding_loss.cosine_embedding_loss")
def cosine_embedding_loss(d: Draw) -> Program:
    batch, D, reduction, margin = d.shape(0, 1), d.size(2), d.choice(REDUCTIONS), d.choice([0.0, -0.3, 0.4])

    def run(T, x1, x2, t):  # type: ignore[no-untyped-def]
        return T.nn.functional.cosine_embedding_loss(x1, x2, t, margin=margin, reduction=reduction)

    return Program(run, d.normal(*batch, D), d.normal(*batch, D), _sign(d, *batch), constant=(2,))


@case("nn.embedding_loss.cosine_embedding_loss.edges")
def cosine_edges(d: Draw) -> Program:
    """Vectors of zeros, broadcast ones, and targets that are neither 1 nor −1."""
    N, D = d.size(), d.size()
    return Program(
        lambda T, x1, x2, t: T.nn.functional.cosine_embedding_loss(x1, x2, t),
        d.ties(1, D),
        d.normal(N, D),
        d.integers(-1, 1, N),
        numeric=False,
        tolerance=1e-9,  # a vector of zeros has gradients of 1e6
    )


def _triplet(d: Draw) -> tuple:
    shape = d.shape(min_dims=1)
    anchor = d.normal(*shape)
    return anchor, anchor + 0.5 * d.normal(*shape), anchor + 0.6 * d.normal(*shape)


@case("nn.embedding_loss.cosine_embedding_loss.one_sided")
def cosine_one_sided(d: Draw) -> Program:
    """Only one vector of each pair has a gradient."""
    N, D, one = d.size(), d.size(2), d.integer(0, 1)
    return Program(
        lambda T, x1, x2, t: T.nn.functional.cosine_embedding_loss(x1, x2, t, margin=-0.3),
        d.normal(N, D),
        d.normal(N, D),
        _sign(d, N),
        constant=(one, 2),
    )


@case("nn.embedding_loss.triplet_margin_loss")
def triplet_margin_loss(d: Draw) -> Program:
    p, swap, margin, reduction = d.choice([2, 1.0, 3.0]), d.boolean(), d.choice([1.0, 0.1]), d.choice(REDUCTIONS)

    def run(T, a, p_, n):  # type: ignore[no-untyped-def]
        return T.nn.functional.triplet_margin_loss(
            a, p_, n, margin=margin, p=p, eps=1e-3, swap=swap, reduction=reduction
        )

    return Program(run, *_triplet(d))


@case("nn.embedding_loss.triplet_margin_with_distance_loss")
def triplet_with_distance(d: Draw) -> Program:
    swap, own, reduction = d.boolean(), d.boolean(), d.choice(REDUCTIONS)

    def run(T, a, p, n):  # type: ignore[no-untyped-def]
        distance = (lambda x, y: ((x - y) ** 2).sum(-1)) if own else None
        return T.nn.functional.triplet_margin_with_distance_loss(
            a, p, n, distance_function=distance, swap=swap, margin=1.5, reduction=reduction
        )

    return Program(run, *_triplet(d))


@case("nn.embedding_loss.CosineEmbeddingLoss")
def cosine_module(d: Draw) -> Program:
    N, D, reduction = d.size(), d.size(2), d.choice(REDUCTIONS)
    return Program(
        lambda T, x1, x2, t: T.nn.CosineEmbeddingLoss(margin=0.2, reduction=reduction)(x1, x2, t),
        d.normal(N, D),
        d.normal(N, D),
        _sign(d, N),
        constant=(2,),
    )


@case("nn.embedding_loss.TripletMarginLoss")
def triplet_module(d: Draw) -> Program:
    swap, reduction = d.boolean(), d.choice(REDUCTIONS)
    return Program(
        lambda T, a, p, n: T.nn.TripletMarginLoss(margin=0.7, swap=swap, reduction=reduction)(a, p, n), *_triplet(d)
    )


@case("nn.embedding_loss.TripletMarginWithDistanceLoss")
def triplet_distance_module(d: Draw) -> Program:
    swap, reduction = d.boolean(), d.choice(REDUCTIONS)

    def run(T, a, p, n):  # type: ignore[no-untyped-def]
        distance = T.nn.PairwiseDistance(p=3.0)
        return T.nn.TripletMarginWithDistanceLoss(
            distance_function=distance, margin=0.7, swap=swap, reduction=reduction
        )(a, p, n)

    return Program(run, *_triplet(d))
