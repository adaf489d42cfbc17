"""The categorical distribution over one-hot vectors, and its straight-through twin.

    log p(e_k) = ln p_k        straight through: x = sample + p − p.detach(), whose gradient to p is 1

Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation", 2013.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.categorical import Categorical
from ndl.distributions.distribution import Distribution
from ndl.ops.creation import arange, eye

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(Distribution):
    """A one-hot vector (K), by ``probs`` or ``logits`` of shape (…, K); see ``Categorical``."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> OneHotCategorical:
        new = self._get_checked_instance(OneHotCategorical, _instance)
        new._categorical = self._categorical.expand(batch_shape)
        return self._expanded(new, batch_shape)

    @property
    def probs(self) -> Tensor:
        """The probability of each place of the 1."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """ln p, normalised."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter: batch_shape + (K,)."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _one_hot(self, index: Tensor) -> Tensor:
        return (index.unsqueeze(-1) == arange(self._event_shape[0])).to(self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        K = self._event_shape[0]
        values = eye(K, dtype=self.probs.dtype).reshape(K, *[1] * len(self._batch_shape), K)
        return values.expand(K, *self._batch_shape, K) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors whose gradient goes to the probabilities as if they were the sample."""

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
