"""Cases of ``ndl.nn.binary_loss``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _weight_shape(d: Draw, shape: tuple) -> tuple:
    """A shape that broadcasts to the given one."""
    start = d.integer(0, len(shape))
    return tuple(1 if d.integer(0, 3) == 0 else n for n in shape[start:])


def _probability(d: Draw, *shape: int) -> np.ndarray:
    return d.uniform(*shape, low=0.05, high=0.95)


def _sign(d: Draw, *shape: int) -> np.ndarray:
    return np.where(d.mask(*shape), 1.0, -1.0)


@case("nn.binary_loss.binary_cross_entropy")
def binary_cross_entropy(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    x, t = _probability(d, *shape), _probability(d, *shape)
    return Program(lambda T, x, t: T.nn.functional.binary_cross_entropy(x, t, reduction=reduction), x, t)


@case("nn.binary_loss.binary_cross_entropy.weight")
def bce_weight(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    w = d.positive(*_weight_shape(d, shape))

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.binary_cross_entropy(x, t, w, reduction=reduction)

    return Program(run, _probability(d, *shape), _probability(d, *shape), w, constant=(2,))


@case("nn.binary_loss.binary_cross_entropy.certain")
def bce_certain(d: Draw) -> Program:
    """Probabilities of 0 and 1: logarithms stop at −100, x (1 − x) at 1e-12."""
    shape = d.shape()
    x, t = d.mask(*shape).astype(float), d.mask(*shape).astype(float)
    return Program(
        lambda T, x, t: T.nn.functional.binary_cross_entropy(x, t, reduction="none"),
        x,
        t,
        numeric=False,
        constant=(1,),
    )


@case("nn.binary_loss.binary_cross_entropy.one_sided")
def bce_one_sided(d: Draw) -> Program:
    """Only the input or only the target has a gradient."""
    shape, one = d.shape(), d.integer(0, 1)
    x, t = _probability(d, *shape), _probability(d, *shape)
    return Program(lambda T, x, t: T.nn.functional.binary_cross_entropy(x, t), x, t, constant=(one,))


@case("nn.binary_loss.binary_cross_entropy_with_logits")
def bce_with_logits(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return T.nn.functional.binary_cross_entropy_with_logits(x, t, reduction=reduction)

    return Program(run, d.normal(*shape), d.uniform(*shape))


@case("nn.binary_loss.binary_cross_entropy_with_logits.weights")
def bce_with_logits_weights(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    w, p = d.positive(*_weight_shape(d, shape)), d.positive(*_weight_shape(d, shape))

    def run(T, x, t, w, p):  # type: ignore[no-untyped-def]
        return T.nn.functional.binary_cross_entropy_with_logits(x, t, w, reduction=reduction, pos_weight=p)

    return Program(run, d.normal(*shape), d.uniform(*shape), w, p, constant=(2, 3))


@case("nn.binary_loss.binary_cross_entropy_with_logits.one_sided")
def bce_with_logits_one_sided(d: Draw) -> Program:
    """Only the input or only the target has a gradient."""
    shape, one = d.shape(), d.integer(0, 1)
    x, t = d.normal(*shape), d.uniform(*shape)
    return Program(lambda T, x, t: T.nn.functional.binary_cross_entropy_with_logits(x, t), x, t, constant=(one,))


@case("nn.binary_loss.binary_cross_entropy_with_logits.large")
def bce_with_logits_large(d: Draw) -> Program:
    """Logits of ±1000: nothing overflows."""
    shape, p = d.shape(), d.choice([None, 3.0])

    def run(T, x, t):  # type: ignore[no-untyped-def]
        pos_weight = None if p is None else T.tensor(p, dtype=T.float64)
        return T.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="sum", pos_weight=pos_weight)

    return Program(run, 1000 * d.ties(*shape), d.mask(*shape).astype(float), numeric=False)


@case("nn.binary_loss.soft_margin_loss")
def soft_margin_loss(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    x, t = 3 * d.normal(*shape), _sign(d, *shape)
    return Program(lambda T, x, t: T.nn.functional.soft_margin_loss(x, t, reduction=reduction), x, t, constant=(1,))


@case("nn.binary_loss.multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(d: Draw) -> Program:
    shape, reduction = d.shape(min_dims=1), d.choice(REDUCTIONS)
    if d.boolean():
        return Program(
            lambda T, x, t: T.nn.functional.multilabel_soft_margin_loss(x, t, reduction=reduction),
            d.normal(*shape),
            d.uniform(*shape),
        )
    return Program(
        lambda T, x, t, w: T.nn.functional.multilabel_soft_margin_loss(x, t, w, reduction=reduction),
        d.normal(*shape),
        d.uniform(*shape),
        d.positive(shape[-1]),
    )


@case("nn.binary_loss.BCELoss")
def bce_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t, w: T.nn.BCELoss(weight=w, reduction=reduction)(x, t),
        _probability(d, *shape),
        _probability(d, *shape),
        d.positive(*shape),
        constant=(2,),
    )


@case("nn.binary_loss.BCEWithLogitsLoss")
def bce_with_logits_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t, w, p: T.nn.BCEWithLogitsLoss(weight=w, reduction=reduction, pos_weight=p)(x, t),
        d.normal(*shape),
        d.uniform(*shape),
        d.positive(*shape),
        d.positive(*shape[-1:]),
        constant=(2, 3),
    )


@case("nn.binary_loss.SoftMarginLoss")
def soft_margin_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    x, t = d.normal(*shape), _sign(d, *shape)
    return Program(lambda T, x, t: T.nn.SoftMarginLoss(reduction=reduction)(x, t), x, t, constant=(1,))


@case("nn.binary_loss.MultiLabelSoftMarginLoss")
def multilabel_soft_margin_module(d: Draw) -> Program:
    shape, reduction = d.shape(min_dims=1), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t, w: T.nn.MultiLabelSoftMarginLoss(weight=w, reduction=reduction)(x, t),
        d.normal(*shape),
        d.uniform(*shape),
        d.positive(shape[-1]),
        constant=(2,),
    )
