"""The formulas of KL(p ‖ q), one for each pair of distributions that has a closed form.

Most follow from E_p[log p] = −entropy(p) and the moments of p in E_p[log q]. Where p puts weight on what q cannot give,
the divergence is infinite.

Gil, "On Rényi Divergence Measures for Continuous Alphabet Sources", 2011 (Laplace).
"""

from __future__ import annotations

import math
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.distributions.bernoulli import Bernoulli
from ndl.distributions.categorical import Categorical
from ndl.distributions.exponential import Exponential
from ndl.distributions.half_normal import HalfNormal
from ndl.distributions.independent import Independent
from ndl.distributions.kl import kl_divergence, register_kl
from ndl.distributions.laplace import Laplace
from ndl.distributions.normal import Normal
from ndl.distributions.one_hot_categorical import OneHotCategorical
from ndl.distributions.transformed_distribution import TransformedDistribution
from ndl.distributions.uniform import Uniform
from ndl.distributions.utils import softplus, sum_rightmost
from ndl.ops.creation import full_like

# -- p and q of one kind -----------------------------------------------------------------------------------------


@register_kl(Normal, Normal)
def normal_normal(p: Any, q: Any) -> Tensor:
    """½ (r + ((μ_p − μ_q) / σ_q)² − 1 − ln r),  r = σ_p² / σ_q²."""
    r = (p.scale / q.scale).pow(2)
    return 0.5 * (r + ((p.loc - q.loc) / q.scale).pow(2) - 1 - r.log())


@register_kl(HalfNormal, HalfNormal)
def half_normal_half_normal(p: Any, q: Any) -> Tensor:
    """That of the two normal distributions: dropping the sign loses the same for both."""
    return normal_normal(p.base_dist, q.base_dist)


@register_kl(Bernoulli, Bernoulli)
def bernoulli_bernoulli(p: Any, q: Any) -> Tensor:
    """p ln p/q + (1 − p) ln (1 − p)/(1 − q), from the log-odds: −ln p = ln (1 + e^(−l))."""
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = ones.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0)
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + zeros.masked_fill(q.probs == 1, math.inf).masked_fill(p.probs == 1, 0)


@register_kl(Categorical, Categorical)
def categorical_categorical(p: Any, q: Any) -> Tensor:
    """Σ p_k ln p_k / q_k."""
    t = p.probs * (p.logits - q.logits)
    return t.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def one_hot_one_hot(p: Any, q: Any) -> Tensor:
    """That of the categories."""
    return categorical_categorical(p._categorical, q._categorical)


@register_kl(Exponential, Exponential)
def exponential_exponential(p: Any, q: Any) -> Tensor:
    """r − 1 − ln r,  r = λ_q / λ_p."""
    r = q.rate / p.rate
    return -r.log() + r - 1


@register_kl(Laplace, Laplace)
def laplace_laplace(p: Any, q: Any) -> Tensor:
    """d / b_q + r e^(−d / b_p) − 1 − ln r,  r = b_p / b_q, d = |μ_p − μ_q|."""
    r, d = p.scale / q.scale, (p.loc - q.loc).abs()
    return -r.log() + d / q.scale + r * (-d / p.scale).exp() - 1


@register_kl(Uniform, Uniform)
def uniform_uniform(p: Any, q: Any) -> Tensor:
    """ln (b_q − a_q) / (b_p − a_p), infinite unless p's interval lies in q's."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return result.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(TransformedDistribution, TransformedDistribution)
def transformed_transformed(p: Any, q: Any) -> Tensor:
    """That of the bases: the same one-to-one map changes nothing."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            f"No KL(p || q) for different transforms or event shapes: {p.transforms} {p.event_shape} and {q.transforms} "
            f"{q.event_shape}"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def independent_independent(p: Any, q: Any) -> Tensor:
    """The sum over what counts as one event."""
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "No KL(p || q) for different reinterpreted_batch_ndims: "
            f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# -- p and q of different kinds ----------------------------------------------------------------------------------


@register_kl(Exponential, Uniform)
def exponential_infinite(p: Any, q: Any) -> Tensor:
    """∞: p reaches beyond every interval."""
    return full_like(p.rate, math.inf)


@register_kl(Laplace, Exponential)
@register_kl(Laplace, Uniform)
@register_kl(Normal, Exponential)
@register_kl(Normal, Uniform)
def real_infinite(p: Any, q: Any) -> Tensor:
    """∞: p is everywhere, q is not."""
    return full_like(p.loc, math.inf)


@register_kl(Exponential, Normal)
def exponential_normal(p: Any, q: Any) -> Tensor:
    """½ ln (2π λ² σ²) − 1 + (1/λ² − μ/λ + μ²/2) / σ²."""
    var, square = q.scale.pow(2), p.rate.pow(2)
    entropy = 0.5 * (square * var * 2 * math.pi).log() - 1
    return entropy + (square.reciprocal() - q.loc / p.rate + q.loc.pow(2) * 0.5) / var


@register_kl(Laplace, Normal)
def laplace_normal(p: Any, q: Any) -> Tensor:
    """b²/σ² − ½ ln (2b² / πσ²) − 1 + (μ_p − μ_q)² / 2σ²."""
    var = q.scale.pow(2)
    r = p.scale.pow(2) / var
    apart = 0.5 * p.loc.pow(2) - p.loc * q.loc + 0.5 * q.loc.pow(2)
    return -0.5 * (2 * r / math.pi).log() + r + apart / var - 1


@register_kl(Normal, Laplace)
def normal_laplace(p: Any, q: Any) -> Tensor:
    """E|x − μ_q| / b − ln (σ / b) − ½ (1 + ln π/2), the expectation being that of a folded normal distribution."""
    d = p.loc - q.loc
    z = d / p.scale
    folded = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp() + d * (math.sqrt(0.5) * z).erf()
    return -(p.scale / q.scale).log() + folded / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Uniform, Exponential)
def uniform_exponential(p: Any, q: Any) -> Tensor:
    """λ (a + b) / 2 − ln (λ (b − a)), infinite if a < 0."""
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return result.masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Normal)
def uniform_normal(p: Any, q: Any) -> Tensor:
    """ln (√(2π) σ / (b − a)) + ((b − a)²/12 + ((a + b)/2 − μ)²) / 2σ²."""
    width = p.high - p.low
    around = width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return (math.sqrt(2 * math.pi) * q.scale / width).log() + 0.5 * around / q.scale.pow(2)
