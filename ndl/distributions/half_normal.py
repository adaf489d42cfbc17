"""The half-normal distribution: |x| of a normal x with mean 0. log p(y) = log N(y; 0, σ²) + ln 2 for y >= 0."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.normal import Normal
from ndl.distributions.transformed_distribution import TransformedDistribution
from ndl.distributions.transforms import AbsTransform
from ndl.ops.creation import zeros_like
from ndl.ops.selection import where

__all__ = ["HalfNormal"]


class HalfNormal(TransformedDistribution):
    """y = |x|, x ~ N(0, scale²): mean σ √(2/π), variance σ² (1 − 2/π)."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> TransformedDistribution:
        return super().expand(batch_shape, _instance=self._get_checked_instance(HalfNormal, _instance))

    @property
    def scale(self) -> Tensor:
        """σ, the standard deviation before the sign is dropped."""
        return self.base_dist.stddev

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
