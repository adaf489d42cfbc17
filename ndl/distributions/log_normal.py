"""The log-normal distribution: e^x of a normal x. log p(y) = log N(ln y; μ, σ²) − ln y."""

from __future__ import annotations

from typing import Any, ClassVar

from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.normal import Normal
from ndl.distributions.transformed_distribution import TransformedDistribution
from ndl.distributions.transforms import ExpTransform

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    """y = e^x, x ~ N(loc, scale²): mean e^(μ + σ²/2), mode e^(μ − σ²), variance (e^(σ²) − 1) e^(2μ + σ²)."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> TransformedDistribution:
        return super().expand(batch_shape, _instance=self._get_checked_instance(LogNormal, _instance))

    @property
    def loc(self) -> Tensor:
        """μ, the mean of ln y."""
        return self.base_dist.mean

    @property
    def scale(self) -> Tensor:
        """σ, the standard deviation of ln y."""
        return self.base_dist.stddev

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc
