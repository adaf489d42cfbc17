"""The protocol for ``ndl.nn.embedding``, and what its cases cannot say."""

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import agree, outcome, refused
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.embedding")


def test_is_a_product_with_the_one_hot_matrix():
    W = ndl.randn(5, 3, dtype=ndl.float64).requires_grad_()
    V = W.detach().clone().requires_grad_()
    i = ndl.tensor([[4, 0, 4], [4, 2, 1]])
    dy = ndl.randn(2, 3, 3, dtype=ndl.float64)
    y, z = F.embedding(i, W), F.one_hot(i, 5).double() @ V
    y.backward(dy)
    z.backward(dy)
    assert ndl.equal(y, z)
    np.testing.assert_allclose(W.grad.numpy(), V.grad.numpy(), rtol=1e-14)
    assert not W.grad.numpy()[3].any()  # never looked up


def test_gradients_of_large_batches_stay_float32_and_exact():
    W = ndl.zeros(65, 128).requires_grad_()
    i = ndl.from_numpy(np.random.default_rng(0).integers(0, 65, (12, 64)))
    F.embedding(i, W).sum().backward()
    assert W.grad.dtype == ndl.float32
    assert np.array_equal(W.grad.numpy()[:, 0], np.bincount(i.numpy().reshape(-1), minlength=65))


def test_an_infinite_gradient_reaches_its_row_only():
    W = ndl.zeros(4, 2).requires_grad_()
    y = F.embedding(ndl.tensor([0, 1, 2]), W, padding_idx=2)
    y.backward(ndl.tensor([[1.0, 1.0], [np.inf, np.nan], [np.inf, np.nan]]))
    np.testing.assert_array_equal(W.grad.numpy(), [[1, 1], [np.inf, np.nan], [0, 0], [0, 0]])


def test_max_norm_writes_the_weight_and_the_graph_notices():
    def program(T):
        W = T.tensor([[3.0, 4.0], [0.3, 0.4]], dtype=T.float64)
        T.nn.functional.embedding(T.tensor([0, 0, 1]), W, max_norm=1.0)
        return np.round(W.numpy(), 6).tolist()  # PyTorch divides by the norm and 1e-7

    assert agree(program) == [[0.6, 0.8], [0.3, 0.4]]
    W = np.array([[3.0, 4.0], [0.3, 0.4]])

    def used_before(T, W):
        V = W * 1
        a = V * V
        return a.sum() + T.nn.functional.embedding(T.tensor([0]), V, max_norm=1.0).sum()

    refused(used_before, W)


def test_the_same_seed_gives_the_same_table():
    def program(T):
        T.manual_seed(3)
        m = T.nn.Embedding(7, 5, padding_idx=-2)
        return m.weight.detach().numpy().tolist(), list(m.state_dict()), m.padding_idx

    assert agree(program)[2] == 5


@pytest.mark.parametrize(
    "options",
    [{}, {"padding_idx": 1}, {"max_norm": 2.0, "norm_type": 1.0}, {"scale_grad_by_freq": True, "sparse": True}],
)
def test_repr(options):
    agree(lambda T: repr(T.nn.Embedding(4, 3, **options)))


def test_from_pretrained_shares_memory():
    V = ndl.ones(3, 2)
    m = ndl.nn.Embedding.from_pretrained(V)
    assert not m.weight.requires_grad and np.shares_memory(m.weight.numpy(), V.numpy())
    assert ndl.nn.Embedding.from_pretrained(V, freeze=False, padding_idx=0).weight.requires_grad


@pytest.mark.parametrize(
    "program",
    [
        lambda T: T.nn.functional.embedding(T.tensor([1.0]), T.ones(2, 2)),
        lambda T: T.nn.functional.embedding(T.tensor([True]), T.ones(2, 2)),
        lambda T: T.nn.functional.embedding(T.tensor([2]), T.ones(2, 2)),
        lambda T: T.nn.functional.embedding(T.tensor([-1]), T.ones(2, 2)),
        lambda T: T.nn.functional.embedding(T.tensor([0]), T.ones(2)),
        lambda T: T.nn.functional.embedding([0], T.ones(2, 2)),
        lambda T: T.nn.functional.one_hot(T.tensor([-1])),
        lambda T: T.nn.functional.one_hot(T.tensor([3]), 2),
        lambda T: T.nn.functional.one_hot(T.tensor([0]), 0),
        lambda T: T.nn.functional.one_hot(T.tensor([1.0])),
        lambda T: T.nn.functional.one_hot(T.zeros(0, dtype=T.int64)),
        lambda T: T.nn.functional.one_hot([1], 2),
        lambda T: T.nn.functional.one_hot(T.zeros(0, 2, dtype=T.int64), 3).shape,
        lambda T: T.nn.functional.embedding(T.zeros(0, dtype=T.int64), T.ones(2, 3)).shape,
        lambda T: T.nn.functional.embedding(T.tensor(1), T.ones(2, 3)).shape,
    ],
)
def test_wrong_arguments_raise_what_pytorch_raises(program):
    agree(lambda T: outcome(lambda: str(program(T))[-10:]))


@pytest.mark.parametrize(
    "program",
    [
        lambda T: T.nn.functional.embedding(T.tensor([0]), T.ones(2, 2), padding_idx=2),
        lambda T: T.nn.functional.embedding(T.tensor([0]), T.ones(2, 2), padding_idx=-3),
        lambda T: T.nn.Embedding(2, 2, padding_idx=2),
        lambda T: T.nn.Embedding(2, 2, _weight=T.ones(2, 3)),
        lambda T: T.nn.Embedding.from_pretrained(T.ones(3)),
    ],
)
def test_what_pytorch_asserts(program):
    for T in (torch, ndl):
        with pytest.raises(AssertionError):
            program(T)


def test_the_message_names_the_index():
    with pytest.raises(IndexError, match=r"index at \(1, 0\) is 7; wanted 0 to 4"):
        F.embedding(ndl.tensor([[0], [7]]), ndl.ones(5, 2))
