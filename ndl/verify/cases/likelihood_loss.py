"""Cases of ``ndl.nn.likelihood_loss``."""

import warnings
from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _quietly(f: Any) -> Any:
    """Without the warning that kl_div gives about its mean."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f()


@case("nn.likelihood_loss.kl_div")
def kl_div(d: Draw) -> Program:
    shape, reduction, log_target = d.shape(), d.choice([*REDUCTIONS, "batchmean"]), d.boolean()
    t = d.normal(*shape) if log_target else d.positive(*shape)

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return _quietly(lambda: T.nn.functional.kl_div(x, t, reduction=reduction, log_target=log_target))

    return Program(run, d.normal(*shape), t)


@case("nn.likelihood_loss.kl_div.log_target")
def kl_div_log_target(d: Draw) -> Program:
    """Both, only the input or only the target has a gradient."""
    shape, reduction, constant = d.shape(), d.choice(REDUCTIONS), d.choice([(), (0,), (1,)])

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return _quietly(lambda: T.nn.functional.kl_div(x, t, reduction=reduction, log_target=True))

    return Program(run, d.normal(*shape), d.normal(*shape), constant=constant)


@case("nn.likelihood_loss.kl_div.broadcast")
def kl_div_broadcast(d: Draw) -> Program:
    x, t = d.broadcastable(2, lambda *shape: d.positive(*shape))
    reduction = d.choice(["sum", "none"])
    return Program(lambda T, x, t: T.nn.functional.kl_div(x, t, reduction=reduction), x, t)


@case("nn.likelihood_loss.kl_div.zeros")
def kl_div_zeros(d: Draw) -> Program:
    """0 log 0 is 0, and so is the gradient of a log-probability that nothing falls on."""
    shape = d.shape()
    t = np.maximum(d.ties(*shape), 0)
    return Program(
        lambda T, x, t: T.nn.functional.kl_div(x, t, reduction="none"),
        d.normal(*shape),
        t,
        numeric=False,
        constant=(1,),
    )


@case("nn.likelihood_loss.poisson_nll_loss")
def poisson_nll_loss(d: Draw) -> Program:
    shape, reduction = d.shape(), d.choice(REDUCTIONS)
    log_input, full, eps = d.boolean(), d.boolean(), d.choice([1e-8, 0.1])
    t = d.away_from([1.0], *shape)
    t = np.where(t < 0.1, 3 - t, t)  # positive, and not at 1, where Stirling's formula begins
    x = d.normal(*shape) if log_input else d.positive(*shape)

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return T.nn.functional.poisson_nll_loss(x, t, log_input=log_input, full=full, eps=eps, reduction=reduction)

    return Program(run, x, t)


@case("nn.likelihood_loss.poisson_nll_loss.counts")
def poisson_counts(d: Draw) -> Program:
    """Targets 0, 1, 2: Stirling's formula counts above 1 only."""
    shape, full = d.shape(), d.boolean()
    return Program(
        lambda T, x, t: T.nn.functional.poisson_nll_loss(x, t, full=full),
        d.normal(*shape),
        d.integers(0, 3, *shape).astype(float),
        numeric=False,
        constant=(1,),
    )


@case("nn.likelihood_loss.poisson_nll_loss.one")
def poisson_one(d: Draw) -> Program:
    """Targets 1, 2, 3 that have a gradient: at 1 that of Stirling's formula does not count yet."""
    shape, log_input = d.shape(), d.boolean()
    return Program(
        lambda T, x, t: T.nn.functional.poisson_nll_loss(x, t, log_input=log_input, full=True),
        d.positive(*shape),
        d.integers(1, 3, *shape).astype(float),
        numeric=False,
    )


@case("nn.likelihood_loss.poisson_nll_loss.one_sided")
def poisson_one_sided(d: Draw) -> Program:
    """Only the input or only the target has a gradient."""
    shape, log_input, one = d.shape(), d.boolean(), d.integer(0, 1)
    x, t = d.positive(*shape), d.positive(*shape)
    return Program(lambda T, x, t: T.nn.functional.poisson_nll_loss(x, t, log_input), x, t, constant=(one,))


@case("nn.likelihood_loss.gaussian_nll_loss")
def gaussian_nll_loss(d: Draw) -> Program:
    shape, reduction, full = d.shape(min_dims=1), d.choice(REDUCTIONS), d.boolean()
    var_shape = d.choice([shape, shape[:-1], (*shape[:-1], 1)])

    def run(T, x, t, v):  # type: ignore[no-untyped-def]
        return T.nn.functional.gaussian_nll_loss(x, t, v, full=full, reduction=reduction)

    return Program(run, d.normal(*shape), d.normal(*shape), d.positive(*var_shape))


@case("nn.likelihood_loss.gaussian_nll_loss.small")
def gaussian_small(d: Draw) -> Program:
    """Variances of 0 count as eps, and get the gradient of eps."""
    shape = d.shape(min_dims=1)
    v = np.maximum(d.ties(*shape), 0)
    return Program(
        lambda T, x, t, v: T.nn.functional.gaussian_nll_loss(x, t, v, eps=0.5),
        d.normal(*shape),
        d.normal(*shape),
        v,
        numeric=False,
    )


@case("nn.likelihood_loss.gaussian_nll_loss.one_sided")
def gaussian_one_sided(d: Draw) -> Program:
    """Only the mean, only the target or only the variance has a gradient."""
    shape, constant = d.shape(min_dims=1), d.choice([(1, 2), (0, 2), (0, 1)])
    arrays = d.normal(*shape), d.normal(*shape), d.positive(*shape)
    return Program(lambda T, x, t, v: T.nn.functional.gaussian_nll_loss(x, t, v), *arrays, constant=constant)


@case("nn.likelihood_loss.gaussian_nll_loss.number")
def gaussian_number(d: Draw) -> Program:
    shape = d.shape()
    return Program(lambda T, x, t: T.nn.functional.gaussian_nll_loss(x, t, 0.7), d.normal(*shape), d.normal(*shape))


@case("nn.likelihood_loss.KLDivLoss")
def kl_div_module(d: Draw) -> Program:
    shape, reduction, log_target = d.shape(), d.choice([*REDUCTIONS, "batchmean"]), d.boolean()

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return _quietly(lambda: T.nn.KLDivLoss(reduction=reduction, log_target=log_target)(x, t))

    return Program(run, d.normal(*shape), d.positive(*shape))


@case("nn.likelihood_loss.PoissonNLLLoss")
def poisson_module(d: Draw) -> Program:
    shape, reduction, log_input = d.shape(), d.choice(REDUCTIONS), d.boolean()

    def run(T, x, t):  # type: ignore[no-untyped-def]
        return T.nn.PoissonNLLLoss(log_input=log_input, full=True, reduction=reduction)(x, t)

    return Program(run, d.positive(*shape), d.positive(*shape, low=1.2, high=4.0))


@case("nn.likelihood_loss.GaussianNLLLoss")
def gaussian_module(d: Draw) -> Program:
    shape, reduction, full = d.shape(), d.choice(REDUCTIONS), d.boolean()
    return Program(
        lambda T, x, t, v: T.nn.GaussianNLLLoss(full=full, reduction=reduction)(x, t, v),
        d.normal(*shape),
        d.normal(*shape),
        d.positive(*shape),
    )
