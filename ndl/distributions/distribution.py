"""``Distribution``: what every probability distribution can be asked.

Shapes: a sample has shape ``sample_shape + batch_shape + event_shape``. The batch is a set of distributions side by side,
one for each element of the parameters; an event is what is drawn at once, a number () or a vector (K). ``log_prob`` of a
value gives one number for each event.

Two ways of learning through randomness: ``log_prob(sample)`` for the score function, ∇E f = E f ∇ log p; and ``rsample``,
where a sample is a function of the parameters and of noise that does not depend on them, so that ∇E f = E ∇f.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.distributions import constraints
from ndl.distributions.utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """Base class of distributions: shapes, and the checks of parameters and values.

    ``validate_args`` False leaves out the checks; ``set_default_validate_args`` says what None means.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = __debug__
    arg_constraints: ClassVar[Any]
    support: Any
    parameters: ClassVar[tuple[str, ...]] = ()  # tensors in the shape of the batch, which ``expand`` expands

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where ``validate_args`` is not given."""
        if value not in (True, False):
            raise ValueError(f"validate_args is True or False, but got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self._constraints().items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property):
                continue  # made from another parameter, which is checked
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def _constraints(self) -> dict[str, Any]:
        if hasattr(type(self), "arg_constraints"):
            return self.arg_constraints
        warnings.warn(
            f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
            "distribution with `validate_args=False` to turn off validation.",
            stacklevel=3,
        )
        return {}

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: how many distributions there are side by side."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw from one of them."""
        return self._event_shape

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to ``batch_shape``, without new memory."""
        named = next(cls for cls in type(self).__mro__ if "parameters" in cls.__dict__)
        new = self._get_checked_instance(named, _instance)
        for name in self.parameters:
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(tuple(batch_shape)))
        return self._expanded(new, batch_shape)

    def _expanded(self, new: Any, batch_shape: Any) -> Any:
        Distribution.__init__(new, Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """An empty object for ``expand`` to fill."""
        if _instance is None and type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also define "
                "a custom .expand() method."
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    # -- what a subclass answers ---------------------------------------------------------------------------------

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError(f"{type(self).__name__} does not implement mean")

    @property
    def mode(self) -> Tensor:
        """The value of the largest probability or density."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError(f"{type(self).__name__} does not implement variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of shape sample_shape + batch_shape + event_shape, without gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws as a differentiable function of the parameters. NotImplementedError where that cannot be."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rsample: its draws are no smooth function of parameters"
        )

    def sample_n(self, n: int) -> Tensor:
        """Deprecated: ``sample((n,))``."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", category=FutureWarning, stacklevel=2
        )
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability at ``value``, one for each event."""
        raise NotImplementedError(f"{type(self).__name__} does not implement log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of ``value`` and everything below it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``: the quantile of ``value``."""
        raise NotImplementedError(f"{type(self).__name__} does not implement icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution along a new first dimension; ``expand`` over the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not implement enumerate_support")

    def entropy(self) -> Tensor:
        """E[−log p], one number for each distribution of the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not implement entropy")

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return self.entropy().exp()

    # -- shapes and checks ---------------------------------------------------------------------------------------

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value: Any) -> None:
        """Raise ValueError unless ``value`` has events of the right shape that lie in the support."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError(f"The value argument to log_prob must be a Tensor, but got {type(value).__name__}")
        shape, event = value.shape, self._event_shape
        if shape[max(len(shape) - len(event), 0) :] != event:
            raise ValueError(f"The right-most size of value must match event_shape: {shape} vs {event}.")
        expected = self._batch_shape + event
        if any(i != j and 1 not in (i, j) for i, j in zip(reversed(shape), reversed(expected))):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {expected}.")
        if not hasattr(type(self), "support"):
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the distribution "
                "with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not bool(self.support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be within the support "
                f"({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        own = {k: self.__dict__[k] for k in self._constraints() if k in self.__dict__}
        return f"{type(self).__name__}({', '.join(f'{k}: {v if v.numel() == 1 else v.shape}' for k, v in own.items())})"
