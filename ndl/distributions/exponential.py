"""The exponential distribution: the time until an event that comes λ times in a unit of time.

log p(x) = ln λ − λ x,  x >= 0        x = e / λ,  e ~ Exp(1)        entropy 1 − ln λ
"""

from __future__ import annotations

from typing import Any, ClassVar

from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.distribution import Distribution
from ndl.distributions.utils import batch_shape_of, broadcast_all, new_empty
from ndl.ops.creation import zeros_like

__all__ = ["Exponential"]


class Exponential(Distribution):
    """Exp(rate), ``rate`` λ > 0, tensor or number; mean 1/λ."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(batch_shape_of(self.rate, rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return new_empty(self.rate, self._extended_shape(sample_shape)).exponential_() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        """1 − e^(−λx)."""
        self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """−ln (1 − q) / λ."""
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        return 1.0 - self.rate.log()
