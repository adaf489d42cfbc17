"""Cases of ``ndl.distributions``: everything a distribution answers, with gradients to its parameters and to the value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

Arrays = list[np.ndarray]
ALWAYS = ("mean", "variance", "stddev", "entropy", "log_prob", "expand", "perplexity")
CONTINUOUS = (*ALWAYS, "mode", "cdf", "icdf", "rsample", "sample")


def answers(p: Any, names: tuple[str, ...], value: Any, q: Any, sample_shape: tuple[int, ...]) -> list[Any]:
    """What distribution ``p`` answers to each name: a property, or a method asked with what it takes."""
    found = []
    for name in names:
        if name in ("log_prob", "cdf"):
            found.append(getattr(p, name)(value))
        elif name == "icdf":
            found.append(p.icdf(q))
        elif name in ("sample", "rsample"):
            found.append(getattr(p, name)(sample_shape))
        elif name == "expand":
            wide = p.expand((2, *p.batch_shape))
            found += [wide.entropy(), wide.log_prob(value)]
        elif name in ("entropy", "perplexity", "enumerate_support"):
            found.append(getattr(p, name)())
        else:
            found.append(getattr(p, name))
    return found


def asked(
    d: Draw, make: Callable[..., Any], parameters: Arrays, value: np.ndarray, names: tuple[str, ...], **options: Any
) -> Program:
    """A program that makes the distribution from its parameters and asks it everything in ``names``.

    Parameters lie in memory in C order: PyTorch fills a tensor like them with random numbers in their memory order.
    """
    parameters = [np.ascontiguousarray(x) for x in parameters]
    sample_shape = d.shape(max_dims=2, high=3)
    q = d.uniform(*value.shape, low=0.05, high=0.95)

    def run(T: Any, value: Any, q: Any, *parameters: Any) -> list[Any]:
        return answers(make(T.distributions, *parameters), names, value, q, sample_shape)

    constant: tuple[int, ...] = (0,) if value.dtype.kind != "f" or options.pop("given_value", False) else ()
    if "icdf" not in names:
        constant += (1,)
    return Program(run, value, q, *parameters, seed=True, constant=constant, **options)


def _shapes(d: Draw) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those of two parameters that broadcast together to the second."""
    full = d.shape(max_dims=2, high=4)
    return full[d.integer(0, len(full)) :], full


@case("distributions.normal.Normal")
def normal(d: Draw) -> Program:
    a, b = _shapes(d)
    parameters = [d.normal(*a), d.positive(*b)]
    return asked(d, lambda D, m, s: D.Normal(m, s), parameters, d.normal(*b), CONTINUOUS)


@case("distributions.log_normal.LogNormal")
def log_normal(d: Draw) -> Program:
    a, b = _shapes(d)
    parameters = [d.normal(*a), d.positive(*b, high=1.0)]
    return asked(d, lambda D, m, s: D.LogNormal(m, s), parameters, d.positive(*b), CONTINUOUS)


@case("distributions.half_normal.HalfNormal")
def half_normal(d: Draw) -> Program:
    _, b = _shapes(d)
    return asked(d, lambda D, s: D.HalfNormal(s), [d.positive(*b)], d.positive(*b), CONTINUOUS)


@case("distributions.uniform.Uniform")
def uniform(d: Draw) -> Program:
    a, b = _shapes(d)
    parameters = [d.uniform(*a, low=-2.0, high=-1.0), d.uniform(*b, low=1.0, high=2.0)]
    names = tuple(name for name in CONTINUOUS if name != "mode")
    return asked(d, lambda D, low, high: D.Uniform(low, high), parameters, d.uniform(*b, low=-0.9, high=0.9), names)


@case("distributions.exponential.Exponential")
def exponential(d: Draw) -> Program:
    _, b = _shapes(d)
    return asked(d, lambda D, rate: D.Exponential(rate), [d.positive(*b)], d.positive(*b), CONTINUOUS)


@case("distributions.laplace.Laplace")
def laplace(d: Draw) -> Program:
    a, b = _shapes(d)
    parameters = [d.uniform(*a), d.positive(*b)]
    value = d.away_from([0.0], *b) * 3
    value = value + np.sign(value)  # not at a loc, where |x − μ| has its kink
    return asked(d, lambda D, m, s: D.Laplace(m, s), parameters, value, CONTINUOUS)


@case("distributions.bernoulli.Bernoulli")
def bernoulli(d: Draw) -> Program:
    _, b = _shapes(d)
    names = (*ALWAYS, "mode", "probs", "logits", "sample", "enumerate_support")
    value = d.integers(0, 1, *b).astype(np.float64)
    if d.boolean():
        return asked(d, lambda D, p: D.Bernoulli(p), [d.uniform(*b, low=0.1, high=0.9)], value, names, given_value=True)
    return asked(d, lambda D, l: D.Bernoulli(logits=l), [d.normal(*b)], value, names, given_value=True)


@case("distributions.categorical.Categorical")
def categorical(d: Draw) -> Program:
    _, b = _shapes(d)
    K = d.size(1, 5)
    names = ("entropy", "log_prob", "expand", "perplexity", "mode", "probs", "logits", "sample", "enumerate_support")
    value = np.asarray(d.integers(0, K - 1, *b))
    if d.boolean():
        return asked(d, lambda D, p: D.Categorical(p), [d.positive(*b, K)], value, names)
    return asked(d, lambda D, l: D.Categorical(logits=l), [d.normal(*b, K)], value, names)


@case("distributions.one_hot_categorical.OneHotCategorical")
def one_hot_categorical(d: Draw) -> Program:
    _, b = _shapes(d)
    K = d.size(2, 5)
    names = (*(n for n in ALWAYS if n != "stddev"), "mode", "probs", "logits", "sample", "enumerate_support")
    value = np.eye(K)[d.integers(0, K - 1, *b)]
    if d.boolean():
        return asked(d, lambda D, p: D.OneHotCategorical(p), [d.positive(*b, K)], value, names, given_value=True)
    return asked(d, lambda D, l: D.OneHotCategorical(logits=l), [d.normal(*b, K)], value, names, given_value=True)


@case("distributions.one_hot_categorical.OneHotCategoricalStraightThrough")
def straight_through(d: Draw) -> Program:
    """The gradient is that of the probabilities, not that of the sample, which differences would find."""
    _, b = _shapes(d)
    K = d.size(2, 5)
    make = lambda D, p: D.OneHotCategoricalStraightThrough(p)
    return asked(d, make, [d.positive(*b, K)], np.eye(K)[0], ("rsample",), numeric=False, given_value=True)


@case("distributions.independent.Independent")
def independent(d: Draw) -> Program:
    b = d.shape(min_dims=1, max_dims=3, high=3)
    n = d.integer(0, len(b))
    parameters = [d.normal(*b), d.positive(*b)]
    names = tuple(name for name in CONTINUOUS if name not in ("cdf", "icdf", "expand"))
    return asked(d, lambda D, m, s: D.Independent(D.Normal(m, s), n), parameters, d.normal(*b), names)


@case("distributions.transformed_distribution.TransformedDistribution")
def transformed(d: Draw) -> Program:
    """A squashed normal distribution, as actors in reinforcement learning have; and a logistic one."""
    _, b = _shapes(d)
    names = ("log_prob", "cdf", "icdf", "rsample", "sample")
    if d.boolean():

        def squashed(D: Any, m: Any, s: Any) -> Any:
            return D.TransformedDistribution(D.Normal(m, s), [D.transforms.TanhTransform()])

        return asked(d, squashed, [d.normal(*b), d.positive(*b)], d.uniform(*b, low=-0.9, high=0.9), names)

    def logistic(D: Any, m: Any, s: Any) -> Any:
        chain = [D.transforms.SigmoidTransform().inv, D.transforms.AffineTransform(m, s)]
        return D.TransformedDistribution(D.Uniform(m.new_zeros(b), m.new_ones(b)), chain)

    return asked(d, logistic, [d.normal(*b), d.positive(*b)], d.normal(*b), names)


TRANSFORMS: dict[str, tuple[float, float]] = {  # each, and where its values lie
    "ExpTransform": (0.2, 3.0),
    "SigmoidTransform": (0.1, 0.9),
    "SoftplusTransform": (0.2, 3.0),
    "TanhTransform": (-0.9, 0.9),
    "AffineTransform": (-2.0, 2.0),
    "IndependentTransform": (0.2, 3.0),
    "ComposeTransform": (0.5, 3.0),
}


def _transform(d: Draw, name: str) -> Program:
    b = d.shape(min_dims=1, max_dims=2, high=4)
    cache_size = d.integer(0, 1)
    event_dim = d.integer(0, 1)

    def run(T: Any, x: Any, y: Any, scale: Any) -> list[Any]:
        R = T.distributions.transforms
        if name == "AffineTransform":
            t = R.AffineTransform(0.5, -scale, event_dim, cache_size=cache_size)
        elif name == "IndependentTransform":
            t = R.IndependentTransform(R.ExpTransform(), 1, cache_size=cache_size)
        elif name == "ComposeTransform":
            t = R.ComposeTransform([R.AffineTransform(0.1, scale), R.SoftplusTransform()], cache_size=cache_size)
        else:
            t = getattr(R, name)(cache_size=cache_size)
        z = t(x)
        back = t.inv(y)
        return [z, back, t.log_abs_det_jacobian(x, z), t.inv.log_abs_det_jacobian(y, back)]

    return Program(run, d.normal(*b), d.uniform(*b, low=TRANSFORMS[name][0], high=TRANSFORMS[name][1]), d.positive(*b))


def _register(name: str) -> None:
    case(f"distributions.transforms.{name}")(lambda d: _transform(d, name))


for _name in TRANSFORMS:
    _register(_name)


@case("distributions.transforms.AbsTransform")
def absolute(d: Draw) -> Program:
    return Program(lambda T, x: T.distributions.transforms.AbsTransform()(x), d.away_from([0.0], *d.shape()))


KINDS: dict[str, Callable[[Draw, tuple[int, ...]], tuple[Callable[..., Any], Arrays]]] = {
    "Normal": lambda d, b: (lambda D, m, s: D.Normal(m, s), [d.normal(*b), d.positive(*b)]),
    "LogNormal": lambda d, b: (lambda D, m, s: D.LogNormal(m, s), [d.normal(*b), d.positive(*b)]),
    "HalfNormal": lambda d, b: (lambda D, s: D.HalfNormal(s), [d.positive(*b)]),
    "Laplace": lambda d, b: (lambda D, m, s: D.Laplace(m, s), [d.normal(*b), d.positive(*b)]),
    "Exponential": lambda d, b: (lambda D, r: D.Exponential(r), [d.positive(*b)]),
    "Uniform": lambda d, b: (lambda D, w, h: D.Uniform(h - w - 1, h), [d.positive(*b), d.positive(*b)]),
    "Bernoulli": lambda d, b: (lambda D, l: D.Bernoulli(logits=l), [d.normal(*b)]),
    "Categorical": lambda d, b: (lambda D, l: D.Categorical(logits=l), [d.normal(*b, 3)]),
    "OneHotCategorical": lambda d, b: (lambda D, l: D.OneHotCategorical(logits=l), [d.normal(*b, 3)]),
    "Independent": lambda d, b: (
        lambda D, m, s: D.Independent(D.Normal(m, s), 1),
        [d.normal(*b, 2), d.positive(*b, 2)],
    ),
}
PAIRS = [(name, name) for name in KINDS] + [
    ("Exponential", "Uniform"),
    ("Exponential", "Normal"),
    ("Laplace", "Exponential"),
    ("Laplace", "Uniform"),
    ("Laplace", "Normal"),
    ("Normal", "Exponential"),
    ("Normal", "Uniform"),
    ("Normal", "Laplace"),
    ("Uniform", "Exponential"),
    ("Uniform", "Normal"),
]


@case("distributions.kl.kl_divergence")
def kl_divergence(d: Draw) -> Program:
    """Every pair that has a formula. Infinite divergences have no differences to compare with."""
    first, second = d.choice(PAIRS)
    b = d.shape(max_dims=2, high=3)
    make_p, p = KINDS[first](d, b)
    make_q, q = KINDS[second](d, b)

    def run(T: Any, *parameters: Any) -> Any:
        D = T.distributions
        return D.kl_divergence(make_p(D, *parameters[: len(p)]), make_q(D, *parameters[len(p) :]))

    return Program(
        run, *p, *q, numeric="Uniform" not in (first, second) and (second != "Exponential" or first == second)
    )


@case("distributions.kl.kl_divergence.certain")
def kl_certain(d: Draw) -> Program:
    """Probabilities of 0 and 1: a divergence of nothing, or infinite."""
    values = np.array([0.0, 0.5, 1.0])
    p, q = values[d.integers(0, 2, 4)], values[d.integers(0, 2, 4)]

    def run(T: Any, p: Any, q: Any) -> list[Any]:
        D = T.distributions
        two = [D.Categorical(T.stack([x, 1 - x], -1)) for x in (p, q)]
        return [D.kl_divergence(D.Bernoulli(p), D.Bernoulli(q)), D.kl_divergence(*two)]

    return Program(run, p, q, numeric=False, constant=(0, 1))


@case("distributions.distribution.Distribution")
def score(d: Draw) -> Program:
    """What distributions are for: a score-function and a reparametrised estimate in one loss.

    Differences would follow the parameters through ``sample``, whose gradient is cut on purpose.
    """
    l, m = d.normal(3, 4), d.normal(3)

    def run(T: Any, l: Any, m: Any) -> Any:
        policy, noise = T.distributions.Categorical(logits=l), T.distributions.Normal(m, math.e)
        action = policy.sample()
        return -(policy.log_prob(action) * noise.sample()).sum() + noise.rsample((5,)).square().mean()

    return Program(run, l, m, seed=True, numeric=False)
