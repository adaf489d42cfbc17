"""A distribution whose draws are transformed: y = t(x), x drawn from the base.

log p_y(y) = log p_x(x) − Σ log |det dt/dx|,  x = t⁻¹(y)        cdf_y(y) = cdf_x(x), or 1 − cdf_x(x) if t falls
"""

from __future__ import annotations

from typing import Any, ClassVar

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.distribution import Distribution
from ndl.distributions.independent import Independent
from ndl.distributions.transforms import ComposeTransform, Transform
from ndl.distributions.utils import sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """Draws of ``base_distribution`` put through one transform or a list of them.

    Raises ValueError for what is no transform, or a base with fewer dimensions than the transforms work on.
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        chain = ComposeTransform(self.transforms)
        domain, codomain = chain.domain.event_dim, chain.codomain.event_dim
        shape, event_dim = (
            base_distribution.batch_shape + base_distribution.event_shape,
            len(base_distribution.event_shape),
        )
        if len(shape) < domain:
            raise ValueError(f"base_distribution needs to have shape with size at least {domain}, but got {shape}.")
        forward = Size(chain.forward_shape(shape))
        wide = Size(chain.inverse_shape(forward))
        if wide != shape:
            base_distribution = base_distribution.expand(wide[: len(wide) - event_dim])
        if domain > event_dim:
            base_distribution = Independent(base_distribution, domain - event_dim)
        self.base_dist = base_distribution
        cut = len(forward) - max(codomain, event_dim + codomain - domain)
        super().__init__(forward[:cut], forward[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> TransformedDistribution:
        new = self._get_checked_instance(TransformedDistribution, _instance)
        shape: Any = Size(batch_shape) + self.event_shape
        for t in reversed(self.transforms):
            shape = t.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms
        return self._expanded(new, batch_shape)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self.event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return ComposeTransform(self.transforms)(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return ComposeTransform(self.transforms)(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        event_dim = len(self.event_shape)
        total: Any = 0.0
        y = value
        for t in reversed(self.transforms):
            x = t.inv(y)
            event_dim += t.domain.event_dim - t.codomain.event_dim
            total = total - sum_rightmost(t.log_abs_det_jacobian(x, y), event_dim - t.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _monotonize_cdf(self, value: Tensor) -> Tensor:
        """``value`` where the transforms rise, 1 − ``value`` where they fall."""
        sign = ComposeTransform(self.transforms).sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for t in reversed(self.transforms):
            value = t.inv(value)
        self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return ComposeTransform(self.transforms)(self.base_dist.icdf(self._monotonize_cdf(value)))
