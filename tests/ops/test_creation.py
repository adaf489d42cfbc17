"""Creation: the same calls give PyTorch's values, types and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl


def equal(make: Callable[[Any], Any]) -> None:
    """The same tensor from both libraries: values, type, shape, and whether it wants a gradient."""
    a, b = make(ndl), make(torch)
    assert str(a.dtype).replace("ndl", "torch") == str(b.dtype)
    assert tuple(a.shape) == tuple(b.shape) and a.requires_grad == b.requires_grad and a.is_leaf == b.is_leaf
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("data", [
    3, 2.5, True, [1, 2], [1, 2.5], [[1], [2]], [], [[], []], (1, (2)), [True, False], [True, 2], [1, True, 2.0],
    np.arange(3), np.ones((2, 2), np.float64), np.float64(2), np.int32(7), [np.float64(1.5), 2],
    np.zeros((0, 3), np.uint8), 10**12,
])  # fmt: skip
def test_tensor(data: Any) -> None:
    equal(lambda T: T.tensor(data))
    equal(lambda T: T.tensor(data, dtype=T.float64))
    equal(lambda T: T.as_tensor(data))


CALLS: list[Callable[[Any], Any]] = [
    lambda T: T.tensor([1.0], requires_grad=True),
    lambda T: T.tensor([T.tensor(1), T.tensor(2)]),
    lambda T: T.tensor([1, 2], dtype=T.float32),
    lambda T: T.zeros(2, 3),
    lambda T: T.zeros((2, 3), dtype=T.int64),
    lambda T: T.zeros(T.Size([2])),
    lambda T: T.zeros([]),
    lambda T: T.zeros(size=(2, 1)),
    lambda T: T.zeros(0, 3),
    lambda T: T.ones(3, dtype=T.bool),
    lambda T: T.ones(2, requires_grad=True),
    lambda T: T.full((2, 2), 7),
    lambda T: T.full((2,), 1.5),
    lambda T: T.full((2,), True),
    lambda T: T.full((), 3, dtype=T.float64),
    lambda T: T.arange(5),
    lambda T: T.arange(2, 9, 3),
    lambda T: T.arange(0, 1, 0.25),
    lambda T: T.arange(5, 0, -2),
    lambda T: T.arange(3.0),
    lambda T: T.arange(1, 2, 0.3, dtype=T.float64),
    lambda T: T.arange(4, dtype=T.float32),
    lambda T: T.arange(0),
    lambda T: T.linspace(0, 1, 5),
    lambda T: T.linspace(-1, 3, 8, dtype=T.float64),
    lambda T: T.linspace(2, 2, 1),
    lambda T: T.linspace(0, 1, 0),
    lambda T: T.eye(3),
    lambda T: T.eye(2, 4, dtype=T.int64),
    lambda T: T.zeros_like(T.ones(2, 3, dtype=T.int32)),
    lambda T: T.ones_like(T.zeros(2), dtype=T.float64),
    lambda T: T.full_like(T.zeros(2), 4),
    lambda T: T.zeros(2, dtype=T.float64).new_tensor([1, 2]),
    lambda T: T.zeros(2, dtype=T.float64).new_zeros(2, 2),
    lambda T: T.zeros(2, dtype=T.int64).new_ones((3,)),
    lambda T: T.zeros(2, dtype=T.float64).new_full((2,), 3),
    lambda T: T.scalar_tensor(2),
    lambda T: T.Tensor([1, 2, 3]),
    lambda T: T.Tensor(2, 3) * 0,
    lambda T: T.from_numpy(np.arange(4, dtype=np.int16)),
    lambda T: T.empty(2, 3).zero_(),
    lambda T: T.empty_like(T.zeros(2, dtype=T.int8)).fill_(2),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_calls(number: int) -> None:
    equal(CALLS[number])


def test_from_numpy_shares_memory() -> None:
    a = np.zeros(3)
    t = ndl.from_numpy(a)
    a[0] = 5
    t[1] = 7
    assert t[0].item() == 5 and a[1] == 7
    assert ndl.as_tensor(a).data_ptr() == t.data_ptr() and ndl.tensor(a).data_ptr() != t.data_ptr()
    assert ndl.asarray(a).data_ptr() == t.data_ptr() and ndl.asarray(a, copy=True).data_ptr() != t.data_ptr()
    with pytest.raises(ValueError, match="copy=False"):
        ndl.asarray([1, 2], copy=False)


@pytest.mark.parametrize(("call", "error"), [
    (lambda T: T.tensor([[1, 2], [3]]), ValueError),
    (lambda T: T.tensor("text"), (TypeError, ValueError)),
    (lambda T: T.tensor([object()]), (TypeError, RuntimeError)),
    (lambda T: T.zeros(-1), RuntimeError),
    (lambda T: T.zeros("a"), TypeError),
    (lambda T: T.arange(0, 5, 0), RuntimeError),
    (lambda T: T.arange(5, 0), RuntimeError),
    (lambda T: T.linspace(0, 1, -2), RuntimeError),
    (lambda T: T.eye(-1), RuntimeError),
    (lambda T: T.from_numpy([1, 2]), TypeError),
    (lambda T: T.from_numpy(np.array(["a"])), TypeError),
    (lambda T: T.tensor([1, 2], requires_grad=True), RuntimeError),
    (lambda T: T.zeros(2, device="cuda"), (RuntimeError, AssertionError)),
    (lambda T: T.zeros(), TypeError),
    (lambda T: T.ones(), TypeError),
    (lambda T: T.empty(), TypeError),
    (lambda T: T.rand(), TypeError),
    (lambda T: T.randn(), TypeError),
    (lambda T: T.zeros(2, wrong=1), TypeError),
    (lambda T: T.zeros_like(T.ones(2), wrong=1), TypeError),
    (lambda T: T.ones_like(T.ones(2), wrong=1), TypeError),
    (lambda T: T.empty_like(T.ones(2), wrong=1), TypeError),
    (lambda T: T.full_like(T.ones(2), 1, wrong=1), TypeError),
    (lambda T: T.ones(2).new_tensor([1], wrong=1), TypeError),
    (lambda T: T.ones(2).new_zeros(2, wrong=1), TypeError),
])  # fmt: skip
def test_errors(call: Callable, error: Any) -> None:
    for T in (ndl, torch):
        with pytest.raises(error):
            call(T)
