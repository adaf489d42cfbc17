"""Cases of ``ndl.nn.margin_loss``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _sign(d: Draw, *shape: int) -> np.ndarray:
    return np.where(d.mask(*shape), 1.0, -1.0)


def _labels(d: Draw, *shape: int) -> np.ndarray:
    """Rows of classes from −1 up, with repetitions and with classes after the −1 that ends them."""
    return d.integers(-1, shape[-1] - 1, *shape)


@case("nn.margin_loss.hinge_embedding_loss")
def hinge_embedding_loss(d: Draw) -> Program:
    shape, reduction, margin = d.shape(), d.choice(REDUCTIONS), d.choice([1.0, 0.3, -1])
    x, t = d.away_from([margin], *shape), _sign(d, *shape)
    return Program(
        lambda T, x, t: T.nn.functional.hinge_embedding_loss(x, t, margin=margin, reduction=reduction),
        x,
        t,
        constant=(1,),
    )


@case("nn.margin_loss.hinge_embedding_loss.ties")
def hinge_ties(d: Draw) -> Program:
    """Differences of exactly the margin, and targets that are neither 1 nor −1."""
    shape = d.shape()
    return Program(
        lambda T, x, t: T.nn.functional.hinge_embedding_loss(x, t),
        d.ties(*shape),
        d.ties(*shape),
        numeric=False,
        constant=(1,),
    )


@case("nn.margin_loss.margin_ranking_loss")
def margin_ranking_loss(d: Draw) -> Program:
    shape, reduction, margin = d.shape(), d.choice(REDUCTIONS), d.choice([0.0, 0.4, 1])
    x2, t = d.normal(*shape), _sign(d, *shape)
    x1 = x2 + t * d.away_from([margin], *shape)
    return Program(
        lambda T, x1, x2, t: T.nn.functional.margin_ranking_loss(x1, x2, t, margin=margin, reduction=reduction),
        x1,
        x2,
        t,
    )


@case("nn.margin_loss.margin_ranking_loss.broadcast")
def margin_ranking_broadcast(d: Draw) -> Program:
    """Shapes that broadcast, and differences of exactly the margin."""
    n, m, reduction, margin = d.size(), d.size(), d.choice(REDUCTIONS), d.choice([0.5, 1.0])
    return Program(
        lambda T, x1, x2, t: T.nn.functional.margin_ranking_loss(x1, x2, t, margin=margin, reduction=reduction),
        d.ties(n, m),
        d.ties(n, 1),
        _sign(d, 1, m),
        numeric=False,
    )


@case("nn.margin_loss.multi_margin_loss")
def multi_margin_loss(d: Draw) -> Program:
    C, p, margin, reduction = d.size(), d.choice([1, 2]), d.choice([1.0, 0.35, 2]), d.choice(REDUCTIONS)
    N = d.size()
    x, t = d.distinct(N, C), d.integers(0, C - 1, N)
    margin += 0.05  # the scores are multiples of 0.1 apart
    if d.integer(0, 4) == 0:
        x, t = x[0], np.asarray(t[0])
    if d.boolean():
        return Program(
            lambda T, x, t: T.nn.functional.multi_margin_loss(x, t, p=p, margin=margin, reduction=reduction), x, t
        )

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.multi_margin_loss(x, t, p=p, margin=margin, weight=w, reduction=reduction)

    return Program(run, x, t, d.positive(C), constant=(2,))


@case("nn.margin_loss.multi_margin_loss.ties")
def multi_margin_ties(d: Draw) -> Program:
    N, C, p = d.size(), d.size(), d.choice([1, 2])
    return Program(
        lambda T, x, t: T.nn.functional.multi_margin_loss(x, t, p=p),
        d.ties(N, C),
        d.integers(0, C - 1, N),
        numeric=False,
    )


@case("nn.margin_loss.multilabel_margin_loss")
def multilabel_margin_loss(d: Draw) -> Program:
    shape, reduction = d.shape(min_dims=1, max_dims=2, high=6), d.choice(REDUCTIONS)
    x, t = np.where(d.mask(*shape), 0.33, 0.0) + d.distinct(*shape), _labels(d, *shape)
    return Program(lambda T, x, t: T.nn.functional.multilabel_margin_loss(x, t, reduction=reduction), x, t)


@case("nn.margin_loss.multilabel_margin_loss.ties")
def multilabel_margin_ties(d: Draw) -> Program:
    shape = d.shape(min_dims=1, max_dims=2, high=6)
    return Program(
        lambda T, x, t: T.nn.functional.multilabel_margin_loss(x, t), d.ties(*shape), _labels(d, *shape), numeric=False
    )


@case("nn.margin_loss.HingeEmbeddingLoss")
def hinge_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    x, t = d.away_from([0.5], *shape), _sign(d, *shape)
    return Program(lambda T, x, t: T.nn.HingeEmbeddingLoss(margin=0.5, reduction=reduction)(x, t), x, t, constant=(1,))


@case("nn.margin_loss.MarginRankingLoss")
def ranking_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    x2, t = d.normal(*shape), _sign(d, *shape)
    x1 = x2 + t * d.away_from([0.5], *shape)
    return Program(lambda T, x1, x2, t: T.nn.MarginRankingLoss(margin=0.5, reduction=reduction)(x1, x2, t), x1, x2, t)


@case("nn.margin_loss.MultiMarginLoss")
def multi_margin_module(d: Draw) -> Program:
    N, C, p, reduction = d.size(), d.size(), d.choice([1, 2]), d.choice(REDUCTIONS)

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.MultiMarginLoss(p=p, margin=0.75, weight=w, reduction=reduction)(x, t)

    return Program(run, d.distinct(N, C), d.integers(0, C - 1, N), d.positive(C), constant=(2,))


@case("nn.margin_loss.MultiLabelMarginLoss")
def multilabel_margin_module(d: Draw) -> Program:
    N, C, reduction = d.size(), d.size(), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t: T.nn.MultiLabelMarginLoss(reduction=reduction)(x, t),
        0.77 * d.distinct(N, C),
        _labels(d, N, C),
        numeric=False,
    )
