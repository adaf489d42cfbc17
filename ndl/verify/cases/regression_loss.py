"""Cases of ``ndl.nn.regression_loss``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _apart(d: Draw, *kinks: float) -> tuple[np.ndarray, np.ndarray]:
    """Input and target whose differences keep away from 0 and from ±kinks."""
    shape = d.shape()
    t = d.normal(*shape)
    return t + d.away_from([0.0, *kinks, *(-k for k in kinks)], *shape), t


@case("nn.regression_loss.mse_loss")
def mse_loss(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t: T.nn.functional.mse_loss(x, t, reduction=reduction), d.normal(*shape), d.normal(*shape)
    )


@case("nn.regression_loss.mse_loss.one_sided")
def mse_one_sided(d: Draw) -> Program:
    """Only the input or only the target has a gradient."""
    shape, one = d.shape(), d.integer(0, 1)
    x, t = d.normal(*shape), d.normal(*shape)
    return Program(lambda T, x, t: T.nn.functional.mse_loss(x, t), x, t, constant=(one,))


@case("nn.regression_loss.mse_loss.weight")
def mse_weight(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    return Program(
        lambda T, x, t, w: T.nn.functional.mse_loss(x, t, reduction=reduction, weight=w),
        d.normal(*shape),
        d.normal(*shape),
        d.positive(*shape),
    )


@case("nn.regression_loss.l1_loss")
def l1_loss(d: Draw) -> Program:
    x, t = _apart(d)
    reduction = d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.functional.l1_loss(x, t, reduction=reduction), x, t)


@case("nn.regression_loss.l1_loss.ties")
def l1_at_zero(d: Draw) -> Program:
    shape = d.shape()
    return Program(lambda T, x, t: T.nn.functional.l1_loss(x, t), d.ties(*shape), d.ties(*shape), numeric=False)


@case("nn.regression_loss.l1_loss.weight")
def l1_weight(d: Draw) -> Program:
    x, t = _apart(d)
    reduction = d.choice(REDUCTIONS)

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.l1_loss(x, t, reduction=reduction, weight=w)

    return Program(run, x, t, d.positive(*x.shape))


@case("nn.regression_loss.smooth_l1_loss")
def smooth_l1_loss(d: Draw) -> Program:
    beta, reduction = d.choice([0.0, 0.5, 1.0, 2]), d.choice(REDUCTIONS)
    x, t = _apart(d, beta)
    return Program(lambda T, x, t: T.nn.functional.smooth_l1_loss(x, t, reduction=reduction, beta=beta), x, t)


@case("nn.regression_loss.smooth_l1_loss.ties")
def smooth_l1_ties(d: Draw) -> Program:
    shape, beta = d.shape(), d.choice([1.0, 2.0])
    return Program(
        lambda T, x, t: T.nn.functional.smooth_l1_loss(x, t, beta=beta),
        d.ties(*shape),
        d.ties(*shape),
        numeric=False,
    )


@case("nn.regression_loss.huber_loss")
def huber_loss(d: Draw) -> Program:
    delta, reduction = d.choice([0.5, 1.0, 2]), d.choice(REDUCTIONS)
    x, t = _apart(d, delta)
    return Program(lambda T, x, t: T.nn.functional.huber_loss(x, t, reduction=reduction, delta=delta), x, t)


@case("nn.regression_loss.huber_loss.ties")
def huber_ties(d: Draw) -> Program:
    shape, delta = d.shape(), d.choice([1.0, 2.0])
    return Program(
        lambda T, x, t: T.nn.functional.huber_loss(x, t, delta=delta), d.ties(*shape), d.ties(*shape), numeric=False
    )


@case("nn.regression_loss.huber_loss.weight")
def huber_weight(d: Draw) -> Program:
    x, t = _apart(d, 1.0)
    reduction = d.choice(REDUCTIONS)

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.huber_loss(x, t, reduction=reduction, weight=w)

    return Program(run, x, t, d.positive(*x.shape))


@case("nn.regression_loss.MSELoss")
def mse_module(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.MSELoss(reduction=reduction)(x, t), d.normal(*shape), d.normal(*shape))


@case("nn.regression_loss.L1Loss")
def l1_module(d: Draw) -> Program:
    x, t = _apart(d)
    reduction = d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.L1Loss(reduction=reduction)(x, t), x, t)


@case("nn.regression_loss.SmoothL1Loss")
def smooth_l1_module(d: Draw) -> Program:
    x, t = _apart(d, 0.5)
    reduction = d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.SmoothL1Loss(reduction=reduction, beta=0.5)(x, t), x, t)


@case("nn.regression_loss.HuberLoss")
def huber_module(d: Draw) -> Program:
    x, t = _apart(d, 0.5)
    reduction = d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.HuberLoss(reduction=reduction, delta=0.5)(x, t), x, t)
