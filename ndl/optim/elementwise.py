"""What the optimisers share that treat every element of a weight alike: the loop over groups, and their state.

A rule is then four short statements: which numbers and which arrays it remembers about a parameter, how the numbers
move with each step, what constants the step multiplies with, and the chain of passes over the arrays
(``ndl.kernels.optim``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype
from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.chains import run_chain
from ndl.optim.optimizer import Optimizer, scalar, writable

__all__ = ["ElementwiseOptimizer", "decayed"]


class ElementwiseOptimizer(Optimizer):
    """An update rule of the form (p, state) ← chain(constants, p, g, state), element by element."""

    _chain: ClassVar[Callable[..., None]]  # as run_chain wants it: (constants, w, x, p, g, *arrays)

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        """The numbers that are remembered about a parameter, and what they begin with."""
        return {"step": 0.0}

    def _arrays(self, group: dict[str, Any]) -> dict[str, Any]:
        """The arrays of the parameter's shape, in the chain's order, and what they are filled with at the beginning."""
        raise NotImplementedError(f"{type(self).__name__} does not say which arrays it remembers")

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> tuple:
        """Count a step in ``state``; the numbers that ``_constants`` is to have."""
        steps = writable(state["step"])
        t = steps.item() + 1
        steps.fill(t)
        return (t,)

    def _constants(self, group: dict[str, Any], dtype: np.dtype, *numbers: Any) -> Any:
        """What the chain multiplies with in the step of these numbers."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its step multiplies with")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of all parameters that have a gradient; returns ``closure()``, if it is given."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            names = self._arrays(group)
            remembered = len(names) + len(self._numbers(group))
            constants: dict[tuple, Any] = {}
            work: list = []
            for p in group["params"]:
                if p._grad is None:
                    continue
                g = p._grad._array
                state = self.state[p]
                if len(state) < remembered:
                    self._begin(p, state, group)
                arrays = (writable(p), g, *[writable(state[name]) for name in names])
                numbers = self._advance(group, state)
                key = (g.dtype, numbers)
                c = constants.get(key)
                if c is None:
                    c = constants[key] = self._constants(group, g.dtype, *numbers)
                work.append((c, arrays))
            run_chain(type(self)._chain, work)
        return loss

    def _begin(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """What is remembered about a parameter before its first step, or before an option first asks for it."""
        for name, value in self._numbers(group).items():
            if name not in state:
                state[name] = _number(value)
        for name, value in self._arrays(group).items():
            if name not in state:
                state[name] = Tensor._wrap(np.full_like(p._array, scalar(value)))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for s in self.state.values():  # older states count in Python's numbers
            for name in self._counters:
                if name in s and not isinstance(s[name], Tensor):
                    s[name] = _number(s[name])


def _number(value: Any) -> Tensor:
    """A remembered number: a tensor without axes, of the default type whatever the parameter's."""
    return Tensor._wrap(np.array(scalar(value), default_numpy_dtype()))


def decayed(group: dict[str, Any]) -> tuple[Any, Any]:
    """λ as part of the gradient, and 1 − γ λ as the factor of the weights: at most one of them, the other None."""
    weight_decay = scalar(group["weight_decay"])
    if weight_decay == 0:
        return None, None
    if group.get("decoupled_weight_decay", False):
        return None, 1 - scalar(group["lr"]) * weight_decay
    return weight_decay, None
