"""The protocol for ``ndl.nn.ctc``, the sum over all paths by hand, and what is refused."""

import itertools

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.ctc")

RNG = np.random.default_rng(0)


def log_probabilities(*shape: int) -> np.ndarray:
    x = RNG.standard_normal(shape)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@pytest.mark.parametrize("labels", [[], [1], [2, 1], [1, 1], [1, 2, 1]])
def test_the_sum_over_all_paths(labels) -> None:
    """Every sequence of 5 frames that, without repetitions and then without blanks, reads as the labels."""
    l = log_probabilities(5, 1, 3)
    p = 0.0
    for path in itertools.product(range(3), repeat=5):
        read = [c for i, c in enumerate(path) if c and (i == 0 or path[i - 1] != c)]
        if read == labels:
            p += np.exp(sum(l[t, 0, c] for t, c in enumerate(path)))
    t = ndl.tensor(labels, dtype=ndl.int64).reshape(1, -1)
    L = F.ctc_loss(ndl.tensor(l), t, (5,), (len(labels),), reduction="sum")
    np.testing.assert_allclose(L.item(), -np.log(p), rtol=1e-13)


def test_the_gradient_of_scores_sums_to_zero_in_every_frame() -> None:
    x = ndl.tensor(RNG.standard_normal((6, 2, 4)), requires_grad=True)
    F.ctc_loss(F.log_softmax(x, 2), ndl.tensor([[1, 2], [3, 3]]), (6, 5), (2, 2)).backward()
    np.testing.assert_allclose(x.grad.numpy().sum(2), 0, atol=1e-15)
    assert not x.grad[5, 1].any()  # the frame after the second sequence's end


def test_long_sequences_do_not_underflow() -> None:
    """The probability of 2000 frames is about e^−6000."""
    l = log_probabilities(2000, 2, 20)
    labels = RNG.integers(1, 20, (2, 50))
    same(lambda T, l, t: T.nn.functional.ctc_loss(l, t, (2000, 1500), (50, 40)), l, labels)


def test_impossible_classes_have_probability_zero() -> None:
    """log 0 in a frame: paths through it count for nothing (PyTorch's gradient is nan there)."""
    l = log_probabilities(4, 1, 3)
    l[1, 0, 1] = -np.inf
    leaf = ndl.tensor(l, requires_grad=True)
    y = F.ctc_loss(leaf, ndl.tensor([[1, 2]]), (4,), (2,), reduction="sum")
    y.backward()
    expected = torch.nn.functional.ctc_loss(torch.tensor(l), torch.tensor([[1, 2]]), (4,), (2,), reduction="sum")
    np.testing.assert_allclose(y.item(), expected.item(), rtol=1e-13)
    assert leaf.grad[1, 0, 1].item() == 0.0
    assert np.isfinite(leaf.grad.numpy()).all()


def test_labels_of_any_integer_type_and_lengths_of_any_kind() -> None:
    l = log_probabilities(5, 2, 4)
    for dtype in (np.int32, np.int64, np.uint8):
        labels = np.array([[1, 2], [3, 3]], dtype)
        for lengths in (((5, 4), (2, 1)), (np.array([5, 4]), np.array([2, 1])), ([5, 4], [2, 1])):

            def program(T, l, t, lengths=lengths):
                frames, counts = (T.from_numpy(n) if isinstance(n, np.ndarray) else n for n in lengths)
                return T.nn.functional.ctc_loss(l, t, frames, counts)

            same(program, l, labels)


def test_padding_does_not_count() -> None:
    l = log_probabilities(5, 2, 4)
    loss = lambda labels: F.ctc_loss(ndl.tensor(l), ndl.tensor(labels), (5, 4), (2, 1), reduction="none").tolist()
    assert loss([[1, 2], [3, 0]]) == loss([[1, 2, 3], [3, -1, 99]]) == loss([1, 2, 3])


def test_types_stay() -> None:
    l = ndl.tensor(log_probabilities(5, 2, 4), dtype=ndl.float32, requires_grad=True)
    for reduction in ("mean", "sum", "none"):
        y = F.ctc_loss(l, ndl.tensor([[1, 2], [3, 3]]), (5, 4), (2, 1), reduction=reduction)
        y.sum().backward()
        assert y.dtype == l.grad.dtype == ndl.float32


def test_a_second_derivative_is_refused() -> None:
    def program(T, l):
        y = T.nn.functional.ctc_loss(l, T.tensor([[1, 2], [3, 3]]), (5, 4), (2, 1))
        (g,) = T.autograd.grad(y, l, create_graph=True)
        return g.square().sum()

    refused(program, log_probabilities(5, 2, 4))


LABELS = [[1, 2], [3, 3]]
REFUSED = [
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (6, 4), (2, 1)), "at most 5, the frames, but got 6"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (-1, 4), (2, 1)), "input_lengths to be at least 0, but got -1"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4), (2, -1)), "target_lengths to be at least 0"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4), (3, 1)), "at least (2, 3)"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4, 3), (2, 1)), "batch_size, 2, but got 3 lengths"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4), (2,)), "target_lengths must be of size batch_size"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), T.tensor([5.0, 4.0]), T.tensor([2, 1])), "must be integral"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS[:1]), (5, 4), (2, 1)), "got shape [1, 2]"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor([1, 2, 3, 1]), (5, 4), (2, 1)), "all 3 labels in one row"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4), (2, 1), blank=4), "from 0 to 3, but got 4"),
    (lambda T, F, l: F.ctc_loss(l, T.tensor(LABELS), (5, 4), (2, 1), blank=-1), "but got -1"),
    (lambda T, F, l: F.ctc_loss(l[0, 0], T.tensor([1, 2]), T.tensor(5), T.tensor(2)), "got shape [4]"),
    (lambda T, F, l: F.ctc_loss(l[:0], T.tensor(LABELS), (0, 0), (2, 1)), "must not be empty"),
    (lambda T, F, l: F.ctc_loss(l[:, :0], T.tensor(LABELS)[:0], (), ()), "must not be empty"),
    (lambda T, F, l: F.ctc_loss(l.long(), T.tensor(LABELS), (5, 4), (2, 1)), "not implemented for int64"),
    (lambda T, F, l: F.ctc_loss(l.half(), T.tensor(LABELS), (5, 4), (2, 1)), "not implemented for float16"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_pytorch_refuses_is_refused(program, message) -> None:
    assert message in refused(lambda T, l: program(T, T.nn.functional, l), log_probabilities(5, 2, 4))


def test_one_length_is_no_sequence_of_lengths() -> None:
    for T in (ndl, torch):
        with pytest.raises(TypeError):
            T.nn.functional.ctc_loss(T.zeros(5, 3), T.tensor([1, 2]), 5, 2)


def test_labels_that_are_no_class() -> None:
    """PyTorch reads whatever lies in memory beside the probabilities."""
    for wrong in (4, -4):
        with pytest.raises(RuntimeError, match=f"classes from 0 to 3, but label 1 of sequence 0 is {wrong}"):
            F.ctc_loss(log_probabilities(5, 2, 4), np.array([[1, wrong], [3, 3]]), (5, 4), (2, 1))
