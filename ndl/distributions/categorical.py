"""The categorical distribution: one of K categories, with probabilities p = softmax(l).

log p(k) = l_k − ln Σ_j e^{l_j}        entropy −Σ_k p_k ln p_k
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ndl.autograd.dtypes import finfo
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.distribution import Distribution
from ndl.distributions.utils import lazy_property, logits_to_probs, probs_to_logits
from ndl.ops.creation import arange, full
from ndl.ops.random import multinomial
from ndl.ops.shape import broadcast_tensors

__all__ = ["Categorical"]


class Categorical(Distribution):
    """A number from 0 to K − 1, by ``probs`` or ``logits`` of shape (…, K), one of the two; both get normalised.

    ``probs`` are weights that are not negative and have a positive sum, ``logits`` any numbers.
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        if given.ndim < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        else:
            self.probs = probs / probs.sum(-1, keepdim=True)
        super().__init__(self.param_shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Categorical:
        new = self._get_checked_instance(Categorical, _instance)
        for name in ("probs", "logits"):
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(*batch_shape, self._num_events))
        return self._expanded(new, batch_shape)

    @lazy_property
    def logits(self) -> Tensor:
        """ln p, normalised."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """softmax(l)."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter: batch_shape + (K,)."""
        return self.logits.shape if "logits" in self.__dict__ else self.probs.shape

    @property
    def _num_events(self) -> int:
        return self.param_shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        """nan: categories have no mean."""
        return full(tuple(self._batch_shape), math.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """nan: categories have no variance."""
        return full(tuple(self._batch_shape), math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        rows = self.probs.reshape(-1, self._num_events)
        drawn = multinomial(rows.detach(), Size(sample_shape).numel(), True).T  # (samples, batch)
        return drawn.reshape(tuple(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        places, log_p = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_p.gather(-1, places[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)  # 0 · ln 0 = 0
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._num_events).reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(self._num_events, *self._batch_shape) if expand else values
