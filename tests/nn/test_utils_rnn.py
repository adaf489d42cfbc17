"""Padding and packing against PyTorch: values, gradients, order, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ndl
from ndl.autograd.gradcheck import gradcheck, gradgradcheck
from ndl.nn.utils import rnn


def as_arrays(packed):
    return [None if t is None else t.detach().numpy() for t in packed]


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5), st.booleans(), st.booleans(), st.integers(0, 2), st.booleans()
)
def test_pack_and_pad_are_pytorchs(lengths, batch_first, enforce_sorted, extra, longer):
    if enforce_sorted:
        lengths = sorted(lengths, reverse=True)
    T, B = max(lengths) + extra, len(lengths)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((B, T, 2) if batch_first else (T, B, 2))
    total = max(lengths) + 3 if longer else None
    found = []
    for lib in (ndl, torch):
        t = lib.tensor(x, requires_grad=True)
        tools = lib.nn.utils.rnn
        packed = tools.pack_padded_sequence(t, lengths, batch_first, enforce_sorted)
        padded, n = tools.pad_packed_sequence(packed, not batch_first, -1.5, total)
        (padded * lib.tensor(np.random.default_rng(1).standard_normal(tuple(padded.shape)))).sum().backward()
        found.append([*as_arrays(packed), padded.detach().numpy(), n.numpy(), t.grad.numpy()])
    for a, b in zip(*found, strict=True):
        if b is None:
            assert a is None
        else:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans(), st.sampled_from(["left", "right"]))
def test_pad_sequence_is_pytorchs(lengths, batch_first, side):
    arrays = [np.random.default_rng(n).standard_normal((length, 2)) for n, length in enumerate(lengths)]
    found = []
    for lib in (ndl, torch):
        parts = [lib.tensor(a, requires_grad=True) for a in arrays]
        y = lib.nn.utils.rnn.pad_sequence(parts, batch_first, 2.0, side)
        (y * y).sum().backward()
        found.append([y.detach().numpy(), *[p.grad.numpy() for p in parts]])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_pack_and_unpack_give_back_what_was_given():
    parts = [ndl.tensor([1, 2]), ndl.tensor([3, 4, 5]), ndl.tensor([6])]
    packed = rnn.pack_sequence(parts, enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 6, 4, 2, 5] and packed.batch_sizes.tolist() == [3, 2, 1]
    assert [p.tolist() for p in rnn.unpack_sequence(packed)] == [[1, 2], [3, 4, 5], [6]]
    padded = rnn.pad_sequence(parts)
    assert [p.tolist() for p in rnn.unpad_sequence(padded, ndl.tensor([2, 3, 1]))] == [[1, 2], [3, 4, 5], [6]]
    assert tuple(padded.shape) == (3, 3)  # PyTorch's unpad_sequence turns its argument round


def test_text_of_a_packed_sequence():
    made = [
        repr(T.nn.utils.rnn.pack_padded_sequence(T.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), [2, 1, 3], True, False))
        for T in (ndl, torch)
    ]
    assert made[0] == made[1]


def test_types_of_a_packed_sequence():
    packed = rnn.pack_sequence([ndl.tensor([1.0, 2.0])])
    assert packed.double().data.dtype == ndl.float64 and packed.long().data.dtype == ndl.int64
    assert packed.half().data.dtype == ndl.float16 and packed.int().data.dtype == ndl.int32
    assert packed.to(ndl.float32) is packed and packed.cpu() is packed and packed.float() is packed
    assert not packed.is_cuda and not packed.is_pinned()
    pair = rnn.PackedSequence((packed.data, packed.batch_sizes))
    assert pair.data is packed.data and pair.unsorted_indices is None
    with pytest.raises(AssertionError, match="length 2"):
        rnn.PackedSequence(packed.data)


def test_the_inverse_of_a_permutation():
    p = ndl.tensor([2, 0, 3, 1])
    assert p[rnn.invert_permutation(p)].tolist() == [0, 1, 2, 3] and rnn.invert_permutation(None) is None


def test_both_are_differentiable_twice():
    x = ndl.randn(3, 2, 2, dtype=ndl.float64, requires_grad=True)

    def f(x):
        packed = rnn.pack_padded_sequence(x, [2, 3], enforce_sorted=False)
        return rnn.pad_packed_sequence(packed._replace(data=packed.data**3))[0]

    assert gradcheck(f, (x,)) and gradgradcheck(f, (x,))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda T, r: r.pack_padded_sequence(T.zeros(3, 2, 1), [1, 2]), RuntimeError, "decreasing"),
        (lambda T, r: r.pack_padded_sequence(T.zeros(3, 2, 1), [1, 0]), RuntimeError, "greater than 0"),
        (lambda T, r: r.pack_padded_sequence(T.zeros(3, 2, 1), [3, 2, 1]), RuntimeError, "got 3"),
        (lambda T, r: r.pack_padded_sequence(T.zeros(3), [3]), IndexError, r"\[3\]"),
        (lambda T, r: r.pack_padded_sequence(T.zeros(3, 0, 1), []), RuntimeError, "empty"),
        (lambda T, r: r.pad_sequence([]), RuntimeError, "empty"),
        (lambda T, r: r.pad_sequence(3), RuntimeError, "iterable"),
        (lambda T, r: r.pad_sequence([T.zeros(2)], padding_side="top"), RuntimeError, "top"),
        (lambda T, r: r.pad_sequence([T.zeros(2, 3), T.zeros(2, 4)]), RuntimeError, "2, 4"),
        (lambda T, r: r.unpad_sequence(T.zeros(3, 2), T.tensor([1])), ValueError, "1 lengths"),
        (
            lambda T, r: r.pad_packed_sequence(r.pack_sequence([T.zeros(2)]), total_length=1),
            ValueError,
            "total_length=1",
        ),
    ],
)
def test_what_does_not_fit_is_told(call, error, message):
    with pytest.raises(error, match=message):
        call(ndl, ndl.nn.utils.rnn)
    with pytest.raises(error):
        call(torch, torch.nn.utils.rnn)


def test_a_length_beyond_the_input_is_refused():
    """PyTorch makes a packed sequence of it whose parts contradict each other."""
    with pytest.raises(RuntimeError, match="only 3 steps"):
        rnn.pack_padded_sequence(ndl.zeros(3, 2, 1), [5, 1])


@pytest.mark.parametrize("types", [("float32", "float64"), ("float64", "float32"), ("int64", "float32")])
def test_pad_sequence_has_the_first_ones_type(types):
    ours, theirs = (
        T.nn.utils.rnn.pad_sequence([T.full((n,), 1.5).to(getattr(T, t)) for n, t in zip((2, 3), types)]).numpy()
        for T in (ndl, torch)
    )
    assert ours.dtype == theirs.dtype == types[0]
    np.testing.assert_array_equal(ours, theirs)
