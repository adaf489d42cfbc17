"""What a check is made of: a *case* says once how to make a random configuration of an operation or block.

    @case("ops.arithmetic.add")
    def add(d):
        x, y = d.broadcastable(2)
        alpha = d.choice([1, 2.5])
        return Program(lambda T, x, y: T.add(x, y, alpha=alpha), x, y)

``T`` is ndl or torch: the same lines run in both. ``d`` is a ``Draw``, whose every choice comes from one function
``integer(low, high)``: NumPy's generator behind it gives the table and the mutants their configurations, Hypothesis
behind it gives the tests theirs, with shrinking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np

A = TypeVar("A")
PROTOCOL = 1e-10


class Draw:
    """The source of a case's random choices. Values are of order one and float64, as the protocol asks."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer  # integer(low, high): both ends included

    @classmethod
    def seeded(cls, seed: int | Sequence[int]) -> Self:
        """Choices from NumPy's generator, reproducible by the seed, one number or several."""
        rng = np.random.default_rng(seed)
        return cls(lambda low, high: int(rng.integers(low, high + 1)))

    def rng(self) -> np.random.Generator:
        """A generator for a whole array's values: one choice."""
        return np.random.default_rng(self.integer(0, 2**32 - 1))

    # -- small choices ---------------------------------------------------------------------------------------

    def choice(self, options: Sequence[A]) -> A:
        return options[self.integer(0, len(options) - 1)]

    def boolean(self) -> bool:
        return bool(self.integer(0, 1))

    def size(self, low: int = 1, high: int = 6) -> int:
        return self.integer(low, high)

    def shape(self, min_dims: int = 0, max_dims: int = 4, low: int = 1, high: int = 5) -> tuple[int, ...]:
        return tuple(self.integer(low, high) for _ in range(self.integer(min_dims, max_dims)))

    def dim(self, ndim: int) -> int:
        """A dimension of an ``ndim``-dimensional tensor, counted from either end."""
        return self.integer(-ndim, ndim - 1) if ndim else self.choice([0, -1])

    # -- arrays ----------------------------------------------------------------------------------------------

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal values: never two equal, never zero."""
        return self._layout(self.rng().standard_normal(shape))

    def positive(self, *shape: int, low: float = 0.2, high: float = 3.0) -> np.ndarray:
        return self._layout(self.rng().uniform(low, high, shape))

    def uniform(self, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        return self._layout(self.rng().uniform(low, high, shape))

    def away_from(self, kinks: Sequence[float], *shape: int, gap: float = 0.05) -> np.ndarray:
        """Normal values, each at least ``gap`` from every kink, so that differences do not step across one."""
        x = 1.5 * self.rng().standard_normal(shape)
        for kink in kinks:
            near = np.abs(x - kink) < gap
            x = np.where(near, kink + np.where(x >= kink, gap, -gap) * 2, x)
        return self._layout(x)

    def distinct(self, *shape: int) -> np.ndarray:
        """Values at least 0.1 apart in random order, for sorting, maxima and ranks."""
        n = int(np.prod(shape))
        x = self.rng().permutation(n) * 0.1 - 0.05 * n + 0.013
        return self._layout(x.reshape(shape))

    def ties(self, *shape: int) -> np.ndarray:
        """Small integers as floats: full of equal values and zeros."""
        return self._layout(self.rng().integers(-2, 3, shape).astype(np.float64))

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        """int64 values from low to high, both included."""
        return self.rng().integers(low, high + 1, shape)

    def mask(self, *shape: int) -> np.ndarray:
        return self.rng().integers(0, 2, shape).astype(bool)

    def broadcastable(self, n: int, make: Callable[..., np.ndarray] | None = None) -> list[np.ndarray]:
        """``n`` arrays whose shapes broadcast together: dimensions missing or 1 here and there."""
        full = self.shape(max_dims=3)
        arrays = []
        for _ in range(n):
            start = self.integer(0, len(full))
            shape = tuple(1 if self.integer(0, 3) == 0 else m for m in full[start:])
            arrays.append((make or self.normal)(*shape))
        return arrays

    def _layout(self, x: np.ndarray) -> np.ndarray:
        """The same values, sometimes not contiguous in memory: transposed, or every second of a larger array."""
        kind = self.integer(0, 3)
        if kind == 0 and x.ndim >= 2:
            return np.asfortranarray(x)
        if kind == 1 and x.ndim >= 1:
            wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]))
            wide[..., ::2] = x
            return wide[..., ::2]
        return x


@dataclass
class Program:
    """One configuration: ``run(T, *inputs)``, or ``run(T, module, *inputs)`` with ``module(T)`` made first.

    Attributes
        run: the lines to prove; returns a tensor or a tuple of tensors.
        inputs: arrays; floating ones are differentiated.
        module: makes the block from ``T``; its parameters get equal values of order one in both libraries.
        parity: False where PyTorch itself is wrong or says nothing; say why in the case.
        numeric: False where differences cannot work (kinks on purpose, integer results).
        second: False where the backward pass cannot be recorded; say why in the case.
        tolerance: largest allowed relative error; 1e-10 by the protocol.
        exact: where PyTorch's own kernel has fewer digits (it rounds a constant to float32): the same as ``run`` in
            operations that have all. In PyTorch this is what our errors are measured from; ``tolerance`` is for the
            distance from PyTorch's own.
        terms: how many times larger than the results are the terms that cancel in them, for the measure in float32.
        seed: True where the program draws random numbers: both libraries start from the same seed.
        constant: positions of floating inputs that are not to be differentiated.
    """

    run: Callable[..., Any]
    inputs: tuple
    module: Callable[[Any], Any] | None = None
    parity: bool = True
    numeric: bool = True
    second: bool = True
    tolerance: float = PROTOCOL
    exact: Callable[..., Any] | None = None
    terms: float = 1.0
    seed: bool = False
    constant: tuple = field(default=())

    def __init__(self, run: Callable[..., Any], *inputs: np.ndarray, **options: Any) -> None:
        self.run, self.inputs = run, tuple(map(np.asarray, inputs))  # 0-d results of NumPy are scalars
        for name in ("module", "parity", "numeric", "second", "tolerance", "exact", "terms", "seed", "constant"):
            setattr(self, name, options.pop(name, getattr(type(self), name, ())))
        if options:
            raise TypeError(f"Program has no option {sorted(options)}")

    @property
    def allowed(self) -> float:
        """The largest relative error that ``compare`` may find."""
        return PROTOCOL if self.exact is not None else self.tolerance


@dataclass(frozen=True)
class Case:
    """A named way to make Programs. The name is the place: ``ops.arithmetic.add``, ``nn.linear.Linear``."""

    name: str
    make: Callable[[Draw], Program]


CASES: dict[str, Case] = {}


def case(name: str) -> Callable:
    """Decorator that registers a case under its name. Raises ValueError if the name is taken."""

    def register(make: Callable[[Draw], Program]) -> Callable[[Draw], Program]:
        if name in CASES:
            raise ValueError(f"the case {name!r} is registered twice")
        CASES[name] = Case(name, make)
        return make

    return register
