"""The normal distribution N(μ, σ²).

log p(x) = −(x − μ)² / 2σ² − ln σ − ½ ln 2π        x = μ + σ ε,  ε ~ N(0, 1)        entropy ½ + ½ ln 2π + ln σ
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.distribution import Distribution
from ndl.distributions.utils import batch_shape_of, broadcast_all, new_empty
from ndl.ops.random import normal

__all__ = ["Normal"]


class Normal(Distribution):
    """N(loc, scale²): ``loc`` the mean μ, ``scale`` the standard deviation σ > 0; tensors or numbers."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(batch_shape_of(self.loc, loc, scale), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = tuple(self._extended_shape(sample_shape))
        with no_grad():
            return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """μ + σ ε: the gradients are 1 to μ and ε to σ."""
        eps = new_empty(self.loc, self._extended_shape(sample_shape)).normal_()
        return self.loc + eps * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        var = self.scale**2
        return -((value - self.loc) ** 2) / (2 * var) - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        """½ (1 + erf((x − μ) / σ√2))."""
        self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value: Tensor) -> Tensor:
        """μ + σ √2 erf⁻¹(2q − 1)."""
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()
