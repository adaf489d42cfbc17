"""Constraints: where a parameter or a value of a distribution may lie. ``constraints.positive.check(x)`` tells where x does.

``event_dim`` counts the last dimensions that make up one event: a simplex is a vector, so its check gives one answer for
each vector. A bound that depends on other parameters is made on the object (``dependent_property``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ndl.ops.creation import full

__all__ = [
    "Constraint",
    "boolean",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_integer",
    "real",
    "real_vector",
    "simplex",
    "square",
    "unit_interval",
]


class Constraint:
    """A region. Attributes: ``is_discrete``, and ``event_dim``, the dimensions that ``check`` takes away."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Any) -> Any:
        """A boolean tensor: which events of ``value`` lie in the region."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__ + "()"


class Dependent(Constraint):
    """Stands for a region that other variables decide; only the object knows it, so nothing can be checked here."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return self._is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return self._event_dim

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> Dependent:
        return Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")


class DependentProperty(property, Dependent):
    """A property whose value is the constraint; on the class it is a ``Dependent``."""

    def __init__(
        self, fn: Callable | None = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        property.__init__(self, fn)
        Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable) -> DependentProperty:  # type: ignore[override]
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether the constraint cannot be checked without the object."""
    return isinstance(constraint, Dependent)


class IndependentConstraint(Constraint):
    """All entries of the last ``reinterpreted_batch_ndims`` dimensions satisfy ``base_constraint``."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        n = self.reinterpreted_batch_ndims
        if len(result.shape) < n:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {len(value.shape)}")
        return result.reshape(*result.shape[: len(result.shape) - n], -1).all(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


class OneHot(Constraint):
    """Vectors of zeros and a single 1."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Bounded(Constraint):
    """What regions with a lower and an upper bound share: their names, in ``bounds``."""

    bounds: tuple[str, ...] = ("lower_bound", "upper_bound")

    def __init__(self, *values: Any, **named: Any) -> None:
        given = dict(zip(self.bounds, values)) | named
        if len(values) > len(self.bounds) or set(given) != set(self.bounds):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.bounds)}, but got {values} {named}")
        for name, value in given.items():
            setattr(self, name, value)

    lower_bound: Any
    upper_bound: Any

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self.bounds)})"


class IntegerInterval(Bounded):
    """Whole numbers from ``lower_bound`` to ``upper_bound``, both included."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (self.lower_bound <= value) & (value <= self.upper_bound)


class IntegerGreaterThan(Bounded):
    """Whole numbers from ``lower_bound`` on."""

    is_discrete = True
    bounds = ("lower_bound",)

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)


class Real(Constraint):
    """Any number, also infinite, but not nan."""

    def check(self, value: Any) -> Any:
        return value == value  # a nan is not equal to itself


class GreaterThan(Bounded):
    """Above ``lower_bound``."""

    bounds = ("lower_bound",)

    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class GreaterThanEq(Bounded):
    """``lower_bound`` and above."""

    bounds = ("lower_bound",)

    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class LessThan(Bounded):
    """Below ``upper_bound``."""

    bounds = ("upper_bound",)

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class Interval(Bounded):
    """From ``lower_bound`` to ``upper_bound``, both included."""

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class HalfOpenInterval(Bounded):
    """From ``lower_bound``, included, to ``upper_bound``, not included."""

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


class Simplex(Constraint):
    """Vectors of numbers that are not negative and sum to 1 (to 10⁻⁶)."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        return full(tuple(value.shape[:-2]), value.shape[-2] == value.shape[-1])


class LowerTriangular(Constraint):
    """Matrices that are 0 above the diagonal."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        return (value.tril() == value).all(-1).all(-1)


class LowerCholesky(LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Any) -> Any:
        return super().check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


dependent = Dependent()
dependent_property = DependentProperty
independent = IndependentConstraint
boolean = Boolean()
one_hot = OneHot()
nonnegative_integer = IntegerGreaterThan(0)
positive_integer = IntegerGreaterThan(1)
integer_interval = IntegerInterval
real = Real()
real_vector = independent(real, 1)
positive = GreaterThan(0.0)
nonnegative = GreaterThanEq(0.0)
greater_than = GreaterThan
greater_than_eq = GreaterThanEq
less_than = LessThan
unit_interval = Interval(0.0, 1.0)
interval = Interval
half_open_interval = HalfOpenInterval
simplex = Simplex()
lower_triangular = LowerTriangular()
lower_cholesky = LowerCholesky()
square = Square()
