"""Random tensors: the same seed gives PyTorch's numbers, in every call and in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl

CALLS: list[Callable[[Any], Any]] = [
    lambda T: T.rand(3, 4),
    lambda T: T.rand((5,), dtype=T.float64),
    lambda T: T.randn(3, 4),
    lambda T: T.randn(2),
    lambda T: T.randn(17, 3, dtype=T.float64),
    lambda T: T.randint(10, (3, 2)),
    lambda T: T.randint(-5, 5, (4,)),
    lambda T: T.randint(0, 2, (3,), dtype=T.float32),
    lambda T: T.randint(low=3, high=9, size=(2, 2)),
    lambda T: T.randperm(20),
    lambda T: T.rand_like(T.zeros(2, 3, dtype=T.float64)),
    lambda T: T.randn_like(T.zeros(30)),
    lambda T: T.randint_like(T.zeros(4), 3),
    lambda T: T.randint_like(T.zeros(4), 3, 8),
    lambda T: T.normal(1.0, 2.0, (20,)),
    lambda T: T.normal(T.arange(20.0), T.ones(20)),
    lambda T: T.normal(T.zeros(3), 2.0),
    lambda T: T.bernoulli(T.full((10,), 0.3)),
    lambda T: T.bernoulli(T.zeros(30), 0.4),
    lambda T: T.multinomial(T.tensor([0.1, 0.0, 3.0, 1.0]), 2),
    lambda T: T.multinomial(T.ones(3, 5), 8, replacement=True),
    lambda T: T.multinomial(T.from_numpy(np.asfortranarray(np.arange(1.0, 36.0).reshape(5, 7))), 3, replacement=True),
    lambda T: T.multinomial(T.arange(1.0, 36.0).view(7, 5).t(), 1),
    lambda T: T.multinomial(T.arange(1.0, 36.0).view(7, 5).t(), 4, replacement=True),
    lambda T: T.multinomial(T.arange(1.0, 41.0).view(4, 10)[:, ::2], 2),
    lambda T: T.rand_like(T.zeros(4), generator=T.Generator().manual_seed(4)),
    lambda T: T.randn_like(T.zeros(4), device="cpu", layout=T.strided, requires_grad=True).detach(),
    lambda T: T.randint_like(T.zeros(4), 9, generator=T.Generator().manual_seed(4)),
    lambda T: T.randint(5, (3,), layout=T.strided, pin_memory=False),
    lambda T: T.randperm(5, layout=T.strided, pin_memory=False),
    lambda T: T.normal(0.0, std=1.0, size=(4,)),
    lambda T: T.normal(mean=2.0, std=0.5, size=(20,), dtype=T.float64),
    lambda T: T.normal(mean=T.arange(4.0)),
    lambda T: T.normal(mean=T.arange(4.0), std=2.0),
    lambda T: T.normal(mean=T.arange(4.0), std=T.arange(4.0)),
    lambda T: T.normal(mean=1.0, std=T.arange(4.0, dtype=T.float64)),
    lambda T: T.normal(T.arange(20.0), generator=T.Generator().manual_seed(4)),
    lambda T: T.zeros(20).uniform_(-1, 1),
    lambda T: T.zeros(20).uniform_(to=3),
    lambda T: T.zeros(20).uniform_(**{"from": -3, "to": 3}),
    lambda T: T.zeros(20).random_(**{"from": 3, "to": 30}),
    lambda T: T.zeros(4, 5, dtype=T.float64).normal_(1, 2),
    lambda T: T.zeros(9).bernoulli_(0.2),
    lambda T: T.zeros(9).bernoulli_(T.full((9,), 0.7)),
    lambda T: T.zeros(9, dtype=T.float64).exponential_(2.0),
    lambda T: T.zeros(5, dtype=T.int64).random_(),
    lambda T: T.zeros(5).random_(7),
    lambda T: T.zeros(5, dtype=T.int32).random_(3, 7),
    lambda T: T.rand(3, generator=T.Generator().manual_seed(4)),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_numbers_and_the_stream_after(number: int) -> None:
    results = []
    for T in (ndl, torch):
        T.manual_seed(11)
        first = CALLS[number](T)
        results.append((first.numpy(), T.rand(2).numpy(), str(first.dtype).split(".")[-1]))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-14 if results[0][2] == "float64" else 0)
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert results[0][2] == results[1][2]


LAYOUTS: list[Callable[[Any, tuple], Any]] = [
    lambda T, like: T.zeros(7, 5, **like).t(),
    lambda T, like: T.zeros(5, 14, **like)[:, ::2],
    lambda T, like: T.zeros(2, 5, 3, 7, **like).permute(2, 3, 0, 1),
    lambda T, like: T.from_numpy(np.zeros((5, 7), str(like["dtype"]).split(".")[-1], "F")),
]
FILLS: dict[str, Callable[[Any, Any], Any]] = {
    "uniform": lambda T, x: x.uniform_(-1, 2),
    "normal": lambda T, x: x.normal_(1, 2),
    "normal, two of them": lambda T, x: x[:2, :3].normal_(),
    "bernoulli": lambda T, x: x.bernoulli_(0.3),
    "bernoulli each": lambda T, x: x.bernoulli_(T.linspace(0, 1, x.numel()).view(x.shape)),
    "exponential": lambda T, x: x.exponential_(2.0),
    "random": lambda T, x: x.random_(100),
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("layout", range(len(LAYOUTS)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_in_place_come_in_the_order_of_memory(dtype: str, layout: int, fill: str) -> None:
    results = []
    for T in (ndl, torch):
        T.manual_seed(3)
        x = LAYOUTS[layout](T, {"dtype": getattr(T, dtype)})
        FILLS[fill](T, x)
        results.append((x.numpy(), T.randn(3).numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6 if dtype == "float32" else 1e-13, atol=1e-15)
    np.testing.assert_array_equal(results[0][1], results[1][1])


LIKES: dict[str, Callable[[Any, Any], Any]] = {
    "rand_like": lambda T, x: T.rand_like(x),
    "randn_like": lambda T, x: T.randn_like(x),
    "randint_like": lambda T, x: T.randint_like(x, 9),
    "bernoulli": lambda T, x: T.bernoulli(x, 0.3),
    "dropout": lambda T, x: T.nn.functional.dropout(x),
    "alpha_dropout": lambda T, x: T.nn.functional.alpha_dropout(x, training=True),
    "feature_alpha_dropout": lambda T, x: T.nn.functional.feature_alpha_dropout(x, training=True),
}
LAID: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda T: T.ones(7, 5).t(),
    "permuted": lambda T: T.ones(2, 5, 3, 7).permute(2, 3, 0, 1),
    "few": lambda T: T.ones(3, 2).t(),
    "sliced": lambda T: T.ones(6, 14)[::2, ::2].t(),
    "expanded": lambda T: T.ones(5, 1).expand(5, 7).t(),
    "expanded and permuted": lambda T: T.ones(2, 1, 3, 4).expand(2, 4, 3, 4).permute(3, 2, 0, 1),
    "overlapping": lambda T: T.ones(10).unfold(0, 4, 1).t(),
    "made of a transposed one": lambda T: T.relu(T.ones(3, 4, 5).transpose(0, 1)) * 2,
    "channels last": lambda T: T.ones(2, 3, 4, 5).to(memory_format=T.channels_last),
    "a convolution's": lambda T: T.nn.Conv2d(1, 8, 3)(T.ones(2, 1, 6, 6)),
    "a convolution's, flat": lambda T: T.nn.Conv2d(1, 8, 3)(T.ones(64, 1, 9, 9)).flatten(1),
    "a convolution's, places first": lambda T: T.nn.Conv2d(1, 8, 3)(T.ones(2, 1, 6, 6)).flatten(2).transpose(1, 2),
    "a convolution's of sequences": lambda T: T.relu(T.nn.Conv1d(3, 8, 3)(T.ones(2, 3, 6))).transpose(1, 2),
    "an LSTM's": lambda T: T.nn.LSTM(3, 8, batch_first=True)(T.ones(2, 5, 3))[0],
    "attention's": lambda T: T.nn.MultiheadAttention(4, 2, batch_first=True)(*[T.ones(2, 5, 4)] * 3)[0],
    "attention's, without weights": lambda T: T.nn.MultiheadAttention(4, 2, batch_first=True)(
        *[T.ones(2, 5, 4)] * 3, need_weights=False
    )[0],
}


@pytest.mark.parametrize("draw", LIKES)
@pytest.mark.parametrize("layout", LAID)
def test_draws_for_a_tensor_come_in_the_order_of_its_memory(layout: str, draw: str) -> None:
    results = []
    for T in (ndl, torch):
        T.manual_seed(3)
        with T.no_grad():
            results.append((LIKES[draw](T, LAID[layout](T)).numpy(), T.randn(3).numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_intels_stream_comes_in_the_order_of_the_dimensions() -> None:
    """PyTorch draws it into contiguous memory and copies, however the tensor lies."""
    draws = []
    for x in (ndl.ones(7, 5).t(), ndl.ones(5, 7)):
        ndl.manual_seed(3)
        ndl.default_generator.bernoulli_stream = "mcg31m1"
        try:
            draws.append((ndl.nn.functional.dropout(x).numpy(), x.bernoulli_(0.3).numpy()))
        finally:
            del ndl.default_generator.bernoulli_stream
    for ours, contiguous in zip(*draws):
        np.testing.assert_array_equal(ours, contiguous)


def test_states() -> None:
    ndl.manual_seed(5)
    ndl.randn(3)
    state = ndl.get_rng_state()
    a = ndl.randn(5)
    ndl.set_rng_state(state)
    assert ndl.equal(a, ndl.randn(5))
    torch.set_rng_state(torch.from_numpy(state.numpy()))
    np.testing.assert_array_equal(torch.randn(5).numpy(), a.numpy())
    g = ndl.Generator()
    assert g.manual_seed(3) is g and g.initial_seed() == 3
    ndl.manual_seed(8)
    assert ndl.initial_seed() == 8 and ndl.seed() == ndl.initial_seed()


def test_in_place_draws_cut_the_gradient() -> None:
    """The old values do not matter to the new ones, so nothing flows back, not even from an infinite value."""
    for T in (ndl, torch):
        x = T.full((3,), float("inf"), requires_grad=True)
        y = x * 1
        y.normal_()
        (y * T.ones(3, requires_grad=True)).sum().backward()
        assert x.grad.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="leaf Variable"):
        ndl.zeros(3, requires_grad=True).uniform_()


@pytest.mark.parametrize(("call", "error"), [
    (lambda T: T.randint(5, 5, (2,)), RuntimeError),
    (lambda T: T.randint(5), TypeError),
    (lambda T: T.randperm(-1), RuntimeError),
    (lambda T: T.normal(T.zeros(2), T.tensor([1.0, -1.0])), RuntimeError),
    (lambda T: T.bernoulli(T.tensor([2.0])), RuntimeError),
    (lambda T: T.zeros(2).bernoulli_(1.5), RuntimeError),
    (lambda T: T.multinomial(T.tensor([-1.0, 2.0]), 1), RuntimeError),
    (lambda T: T.zeros(2).uniform_(3, 1), RuntimeError),
    (lambda T: T.zeros(2).normal_(0, -1), RuntimeError),
    (lambda T: T.normal(), TypeError),
    (lambda T: T.normal(0.0, 1.0), TypeError),
    (lambda T: T.normal(0.0, size=(2,)), TypeError),
    (lambda T: T.normal(0.0, 1.0, 2), TypeError),
    (lambda T: T.normal(T.zeros(2), 1.0, (2,)), TypeError),
    (lambda T: T.normal(T.zeros(2), 1.0, dtype=T.float64), TypeError),
    (lambda T: T.normal(std=T.ones(2)), TypeError),
    (lambda T: T.normal(T.zeros(2, dtype=T.int64), 1.0), NotImplementedError),
    (lambda T: T.normal(T.zeros(2), -1.0), RuntimeError),
    (lambda T: T.rand(2, foo=1), TypeError),
    (lambda T: T.rand_like(T.zeros(2), foo=1), TypeError),
    (lambda T: T.randn_like(T.zeros(2), foo=1), TypeError),
    (lambda T: T.randint_like(T.zeros(2), 3, foo=1), TypeError),
    (lambda T: T.randint(3, (2,), foo=1), TypeError),
    (lambda T: T.randperm(3, foo=1), TypeError),
    (lambda T: T.zeros(2).uniform_(foo=1), TypeError),
    (lambda T: T.zeros(2).random_(foo=1), TypeError),
    (lambda T: T.zeros(2).normal_(foo=1), TypeError),
])  # fmt: skip
def test_errors(call: Callable, error: type) -> None:
    for T in (ndl, torch):
        with pytest.raises(error):
            call(T)
