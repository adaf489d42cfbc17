"""The Bernoulli distribution: 1 with probability p = σ(l), else 0.

log p(x) = x ln p + (1 − x) ln (1 − p) = x l − ln (1 + e^l)        entropy ln (1 + e^l) − p l
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.distribution import Distribution
from ndl.distributions.utils import (
    batch_shape_of,
    broadcast_all,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
    softplus,
)
from ndl.ops.creation import arange
from ndl.ops.random import bernoulli
from ndl.ops.selection import where

__all__ = ["Bernoulli"]


class Bernoulli(Distribution):
    """0 or 1, by ``probs`` p (of 1) or by ``logits`` l = ln p/(1 − p): one of the two, tensor or number."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    parameters = ("probs", "logits")

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = logits if probs is None else probs
        (parameter,) = broadcast_all(given)
        setattr(self, "logits" if probs is None else "probs", parameter)
        super().__init__(batch_shape_of(parameter, given), validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        """ln p/(1 − p)."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """σ(l)."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self.logits.shape if "logits" in self.__dict__ else self.probs.shape

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The likelier of 0 and 1; nan where both are equally likely."""
        likelier = (self.probs >= 0.5).to(self.probs.dtype)
        return where(self.probs == 0.5, math.nan, likelier)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = tuple(self._extended_shape(sample_shape))
        with no_grad():
            return bernoulli(self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return value * self.logits - softplus(self.logits)

    def entropy(self) -> Tensor:
        return softplus(self.logits) - self.probs * self.logits

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self.probs.dtype).reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(2, *self._batch_shape) if expand else values
