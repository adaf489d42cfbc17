"""Draws that are not kind: ties, zeros, infinities, nan, huge and tiny values, empty axes, odd memory.

Every case makes its arrays through a ``Draw``, so these find their way into every operation and every block.
"""

from __future__ import annotations

import numpy as np

from ndl.verify.case import Draw, Program

SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan)


class NastyDraw(Draw):
    """A ``Draw`` whose arrays and sizes are, half of the time, what programs stumble over."""

    def size(self, low: int = 1, high: int = 6) -> int:
        return self._length(super().size(low, high))

    def shape(self, min_dims: int = 0, max_dims: int = 4, low: int = 1, high: int = 5) -> tuple[int, ...]:
        return tuple(self._length(n) for n in super().shape(min_dims, max_dims, low, high))

    def positive(self, *shape: int, low: float = 0.2, high: float = 3.0) -> np.ndarray:
        """Still positive: huge, tiny or equal."""
        x = self.rng().uniform(low, high, shape)
        kind = self.integer(0, 5)
        if kind == 0:
            x = x * self.choice([1e-30, 1e-8, 1e8, 1e30])
        elif kind == 1:
            x = np.ceil(x)
        elif kind == 2:
            x = np.where(self.rng().random(shape) < 0.2, np.inf, x)
        return self._memory(x)

    def distinct(self, *shape: int) -> np.ndarray:
        """Still distinct, since PyTorch leaves the order of equal values open: up to two are infinite."""
        n = int(np.prod(shape))
        x = (self.rng().permutation(n) * 0.1 - 0.05 * n + 0.013).reshape(shape)
        if x.size > 2 and self.integer(0, 3) == 0:
            x[np.unravel_index(x.argmax(), x.shape)] = np.inf
            x[np.unravel_index(x.argmin(), x.shape)] = -np.inf
        return super()._layout(x)

    def partly_constant(self, program: Program) -> Program:
        """The program; sometimes one of its inputs, or all but one, have no gradient."""
        floating = [i for i, x in enumerate(program.inputs) if x.dtype.kind == "f" and i not in program.constant]
        if len(floating) > 1 and self.integer(0, 3) == 0:
            one = self.choice(floating)
            others = [i for i in floating if i != one]
            program.constant = (*program.constant, *([one] if self.boolean() else others))
        return program

    def _length(self, n: int) -> int:
        return self.choice([0, 1, n, n, n, n, n, n])

    def _layout(self, x: np.ndarray) -> np.ndarray:
        kind = self.integer(0, 9)
        if kind == 0:
            x = np.round(x)  # ties and zeros
        elif kind == 1:
            x = np.where(self.rng().random(x.shape) < 0.3, self.rng().choice(SPECIAL[:4], x.shape), x)
        elif kind == 2:
            x = np.where(self.rng().random(x.shape) < 0.2, self.rng().choice(SPECIAL, x.shape), x)
        elif kind == 3:
            x = x * self.choice([1e-200, 1e-30, 1e-8, 30.0, 1e4, 1e8])
        elif kind == 4:
            x = np.zeros_like(x)
        return self._memory(x)

    def _memory(self, x: np.ndarray) -> np.ndarray:
        """Sometimes expanded: one or all axes have stride 0."""
        if x.ndim and x.size and self.integer(0, 5) == 0:
            axis = self.integer(0, x.ndim)
            one = x[(slice(0, 1),) * x.ndim] if axis == x.ndim else np.take(x, [0], axis)
            return np.broadcast_to(one, x.shape)
        return super()._layout(x)


def crashes_pytorch(name: str, program: Program) -> bool:
    """Whether this program must not be given to PyTorch, since it would end the whole process.

    ``pdist`` of nothing is a division by zero in its C++ code. ``ctc_loss`` with a label that is no class, which ndl
    refuses, and ``grid_sample`` at a place that is nan or further away than an int can tell, write past the end of the
    gradient's memory.
    """
    if name.startswith("nn.cdist.pdist"):
        return any(x.size == 0 for x in program.inputs)
    if name.startswith("nn.ctc."):
        scores, labels = program.inputs[:2]
        return bool(((labels < 0) | (labels >= scores.shape[-1])).any())
    if name.startswith("nn.grid_sample."):
        return not bool(np.all(np.abs(program.inputs[1]) < 2**20))
    return False
