"""The same parameters in ndl and in PyTorch, with the same gradients set by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import ndl
import ndl.nn
import ndl.optim
from ndl.verify.parity import relative_error


class Pair:
    """``Pair(shapes, lambda T, params: T.optim.SGD(params, lr=0.1))``: one optimiser in both libraries."""

    def __init__(
        self,
        shapes: Sequence[tuple[int, ...]],
        make: Callable[[Any, list], Any],
        dtype: Any = np.float64,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.rng = np.random.default_rng(seed + 1)
        start = [np.array(rng.standard_normal(shape), dtype) for shape in shapes]
        self.params = {T: [T.nn.Parameter(T.from_numpy(x.copy())) for x in start] for T in (ndl, torch)}
        self.optimizers = {T: make(T, params) for T, params in self.params.items()}

    @property
    def ours(self) -> Any:
        return self.optimizers[ndl]

    @property
    def theirs(self) -> Any:
        return self.optimizers[torch]

    def set_gradients(self, missing: Sequence[int] = ()) -> None:
        """New random gradients; None for the parameters listed in ``missing``."""
        for i, (p, q) in enumerate(zip(self.params[ndl], self.params[torch], strict=True)):
            g = np.array(self.rng.standard_normal(tuple(q.shape)), p.detach().numpy().dtype)
            p.grad = None if i in missing else ndl.from_numpy(g.copy())
            q.grad = None if i in missing else torch.from_numpy(g.copy())

    def step(self, steps: int = 1, missing: Sequence[int] = ()) -> None:
        for _ in range(steps):
            self.set_gradients(missing)
            for optimizer in self.optimizers.values():
                optimizer.step(lambda: 1.0)  # LBFGS must have a closure

    def weights(self, T: Any) -> list[np.ndarray]:
        return [np.array(p.detach().numpy()) for p in self.params[T]]

    def error(self) -> float:
        """The largest relative difference of the weights."""
        return max(relative_error(a, b) for a, b in zip(self.weights(ndl), self.weights(torch), strict=True))


def to_numpy(value: Any) -> Any:
    """A state_dict with arrays for tensors of either library."""
    if isinstance(value, (ndl.Tensor, torch.Tensor)):
        return np.array(value.detach().numpy())
    if isinstance(value, dict):
        return {k: to_numpy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_numpy(v) for v in value)
    return value


def to_torch(value: Any) -> Any:
    """A state_dict with PyTorch's tensors for arrays."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {k: to_torch(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_torch(v) for v in value)
    return value


def assert_same(a: Any, b: Any) -> None:
    """Two nestings of numbers and arrays are equal to the last digits, with equal keys, shapes and dtypes."""
    if isinstance(b, np.ndarray):
        assert isinstance(a, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        assert relative_error(a, b) <= 1e-12
    elif isinstance(b, dict):
        assert list(a) == list(b)
        for k in b:
            assert_same(a[k], b[k])
    elif isinstance(b, (list, tuple)):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b and type(a) is type(b)
