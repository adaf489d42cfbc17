"""The protocol for ``ndl.nn.embedding_bag``, and what its cases cannot say."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, outcome
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.embedding_bag")


def test_scale_grad_by_freq_divides_by_the_own_number_of_uses():
    """PyTorch 2.13 divides the third row by 4, the number of uses of another one."""
    W = ndl.randn(4, 3).requires_grad_()
    i, offsets = ndl.tensor([0, 1, 1, 2, 1, 1]), ndl.tensor([0, 3, 3, 4])
    ndl.nn.functional.embedding_bag(i, W, offsets, mode="sum", scale_grad_by_freq=True).sum().backward()
    np.testing.assert_array_equal(W.grad.numpy()[:, 0], [1, 1, 1, 0])


def test_equal_frequencies_agree_with_pytorch():
    def program(T):
        W = T.ones(3, 2, dtype=T.float64).requires_grad_()
        i = T.tensor([[0, 1, 2], [2, 1, 0]])
        T.nn.functional.embedding_bag(i, W, mode="mean", scale_grad_by_freq=True).sum().backward()
        return np.round(W.grad.numpy(), 12).tolist()

    agree(program)


def test_nothing_at_all():
    def program(T):
        none = T.zeros(0, dtype=T.int64)
        shapes = [
            T.nn.functional.embedding_bag(none, T.ones(2, 3), T.tensor([0, 0]), mode=m).numpy().tolist()
            for m in ("sum", "mean", "max")
        ]
        return shapes, list(T.nn.functional.embedding_bag(none, T.ones(2, 3), none).shape)

    agree(program)


@pytest.mark.parametrize(
    "options", [{}, {"mode": "max"}, {"padding_idx": 1, "max_norm": 2.0, "scale_grad_by_freq": True}]
)
def test_module(options):
    def program(T):
        T.manual_seed(1)
        m = T.nn.EmbeddingBag(6, 3, **options)
        return repr(m), m.weight.detach().numpy().tolist(), list(m.state_dict())

    agree(program)


def test_old_order_of_arguments():
    with pytest.warns(UserWarning, match="Argument order"):
        y = ndl.nn.functional.embedding_bag(ndl.ones(2, 3), ndl.tensor([[0, 1]]), mode="sum")
    assert y.tolist() == [[2, 2, 2]]


I, W = [0, 1, 1], (2, 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda T, f: f(T.tensor(I), T.ones(W)),
        lambda T, f: f(T.tensor([I]), T.ones(W), T.tensor([0])),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([[0]])),
        lambda T, f: f(T.tensor([[I]]), T.ones(W)),
        lambda T, f: f(T.tensor(I), T.ones(2), T.tensor([0])),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="median"),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="max", scale_grad_by_freq=True),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="max", sparse=True),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="sum", per_sample_weights=T.ones(2)),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="sum", per_sample_weights=T.ones(3).double()),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), mode="sum", per_sample_weights=T.ones(3).long()),
        lambda T, f: f(T.tensor(I), T.ones(W).long(), T.tensor([0]), mode="sum"),
        lambda T, f: f(T.tensor(I), T.ones(W).long(), T.tensor([0]), mode="sum", per_sample_weights=T.ones(3).long()),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0.0])),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([1])),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0, 4])),
        lambda T, f: f(T.tensor([2]), T.ones(W), T.tensor([0])),
        lambda T, f: f(T.tensor([1.0]), T.ones(W), T.tensor([0])),
        lambda T, f: f(T.tensor(I), T.ones(W), T.tensor([0]), padding_idx=2),
        lambda T, f: f(T.tensor(I), T.ones(W), T.zeros(0, dtype=T.int64), include_last_offset=True),
        lambda T, f: f(T.zeros(2, 0, dtype=T.int64), T.ones(W)),
    ],
)
def test_wrong_arguments_raise_what_pytorch_raises(call):
    assert agree(lambda T: outcome(lambda: call(T, T.nn.functional.embedding_bag))) in ("ValueError", "RuntimeError")


def test_weights_are_for_sums_only():
    for T in (torch, ndl):
        with pytest.raises(NotImplementedError, match="only supported for mode='sum'"):
            T.nn.functional.embedding_bag(T.tensor(I), T.ones(W), T.tensor([0]), per_sample_weights=T.ones(3))


def test_offsets_that_decrease_are_refused():
    """PyTorch sometimes computes something, sometimes raises."""
    with pytest.raises(RuntimeError, match=r"must not decrease, but got \[0, 3, 1\]"):
        ndl.nn.functional.embedding_bag(ndl.tensor(I), ndl.ones(W), ndl.tensor([0, 3, 1]))


@pytest.mark.parametrize("mode, wanted", [("sum", [[8, 10]]), ("mean", [[4, 5]]), ("max", [[5, 6]])])
def test_what_lies_behind_the_last_offset_is_in_no_bag(mode, wanted):
    """PyTorch counts it in means and their gradients, and ends the process where there is no bag at all."""
    V = ndl.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    i = ndl.tensor([1, 2, 1, 0])
    y = ndl.nn.functional.embedding_bag(i, V, ndl.tensor([0, 2]), mode=mode, include_last_offset=True)
    y.sum().backward()
    assert y.tolist() == wanted and not V.grad.numpy()[0].any()
    none = ndl.nn.functional.embedding_bag(i, V, ndl.tensor([0]), mode=mode, include_last_offset=True)
    assert none.shape == (0, 2)
