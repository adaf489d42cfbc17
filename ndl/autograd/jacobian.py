"""The Jacobian of a function at one point, by central differences and by backward.

For outputs y and inputs x, flattened, J_ij = ∂y_i/∂x_j:

    numerical    column j:  (y(x + ε e_j) − y(x − ε e_j)) / 2ε       error O(ε²), two forward passes a column
    analytical   row i:     backward with dL/dy = e_i                 one backward pass a row
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.engine import grad
from ndl.autograd.gradcheck_report import GradcheckError
from ndl.autograd.tensor import Tensor


class Point:
    """``func(*inputs)`` where it is to be differentiated.

    Attributes
        places: which of the inputs require gradients; ``wanted`` are these inputs.
        outputs: the outputs that require gradients.
    """

    def __init__(self, func: Callable, inputs: tuple, eps: float, nondet_tol: float) -> None:
        self.func, self.inputs, self.eps, self.nondet_tol = func, inputs, eps, nondet_tol
        self.places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.wanted = [inputs[i] for i in self.places]
        self.outputs = differentiable(func(*inputs))

    def numerical(self, x: Tensor) -> list[np.ndarray]:
        """The Jacobian of each output with respect to one input."""
        columns = self.columns(x)
        return [
            np.stack([c[j].reshape(-1) for c in columns], 1) if columns else np.zeros((y._array.size, 0))
            for j, y in enumerate(self.outputs)
        ]

    def analytical(self, j: int) -> list[np.ndarray]:
        """The Jacobian of output ``j`` with respect to each input."""
        y = self.outputs[j]._array
        jacobians = [np.zeros((y.size, x._array.size)) for x in self.wanted]
        for i in range(y.size):
            e = np.zeros(y.shape)
            e.reshape(-1)[i] = 1
            for jacobian, g in zip(jacobians, self.pull_back(j, e)):
                jacobian[i] = g.reshape(-1)
        return jacobians

    def columns(self, x: Tensor) -> list[list[np.ndarray]]:
        """For each element of ``x``, the change of each output: columns of the numerical Jacobians."""
        columns = []
        for k in range(x._array.size):
            step = np.zeros(x._array.shape)
            step.reshape(-1)[k] = self.eps
            columns.append(self.change(x, step))
        return columns

    def change(self, x: Tensor, step: np.ndarray) -> list[np.ndarray]:
        """(y(x + step) − y(x − step)) / 2ε for each output. ``x`` is changed where it lies, and restored."""
        before = x._array.copy()
        try:
            x._array[...] = before + step
            high = self._evaluate()
            x._array[...] = before - step
            low = self._evaluate()
        finally:
            x._array[...] = before
        return [(h - lo) / (2 * self.eps) for h, lo in zip(high, low)]

    def pull_back(self, j: int, v: np.ndarray) -> list[np.ndarray]:
        """vᵀ J of output ``j`` for each input, computed twice. Raises GradcheckError if the two differ."""
        y = self.outputs[j]
        first, second = (self._backward(y, v.astype(y._array.dtype)) for _ in range(2))
        for place, a, b in zip(self.places, first, second):
            if a.size and not np.allclose(a, b, rtol=0, atol=self.nondet_tol, equal_nan=True):
                raise GradcheckError(
                    f"Backward is not reentrant: run twice, it gives two gradients of output {j} with "
                    f"respect to input {place}, up to {np.nanmax(np.abs(a - b)):.3g} apart. Does it change "
                    "what it saved, or draw random numbers? nondet_tol= allows for a difference."
                )
        return first

    def _backward(self, y: Tensor, v: np.ndarray) -> list[np.ndarray]:
        gradients = grad(y, self.wanted, Tensor._wrap(v), retain_graph=True, allow_unused=True)
        return [np.zeros(x._array.shape) if g is None else np.array(g._array) for x, g in zip(self.wanted, gradients)]

    def _evaluate(self) -> list[np.ndarray]:
        """The outputs that are compared; all outputs if none requires gradients."""
        outputs = [y for y in as_tuple(self.func(*self.inputs)) if isinstance(y, Tensor)]
        return [np.array(y._array, np.float64) for y in outputs if y.requires_grad or not self.outputs]


def as_tuple(values: Any) -> tuple:
    """A tuple of one or several values."""
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def differentiable(outputs: Any) -> tuple:
    """The tensors among the outputs that require gradients."""
    return tuple(y for y in as_tuple(outputs) if isinstance(y, Tensor) and y.requires_grad)
