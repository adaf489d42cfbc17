"""The protocol for ``ndl.nn.multihead_attention``, and what its cases cannot say."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, outcome, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.multihead_attention")


def test_one_head_and_identities_are_attention():
    m = ndl.nn.MultiheadAttention(3, 1, bias=False)
    with ndl.no_grad():
        m.in_proj_weight.copy_(ndl.cat([ndl.eye(3)] * 3))
        m.out_proj.weight.copy_(ndl.eye(3))
    x = ndl.randn(4, 2, 3)
    y, P = m(x, x, x)
    t = x.transpose(0, 1)
    wanted = ndl.nn.functional.scaled_dot_product_attention(t, t, t).transpose(0, 1)
    np.testing.assert_allclose(y.detach().numpy(), wanted.numpy(), rtol=1e-5)
    np.testing.assert_allclose(P.detach().numpy().sum(-1), 1, rtol=1e-6)


def test_a_key_that_nobody_may_see_gives_nan_with_weights_and_zeros_without():
    def program(T):
        T.manual_seed(0)
        m = T.nn.MultiheadAttention(4, 2, bias=False)
        x, hidden = T.ones(3, 1, 4), T.tensor([[True, True, True]])
        with_weights, P = m(x, x, x, key_padding_mask=hidden)
        without, _ = m(x, x, x, key_padding_mask=hidden, need_weights=False)
        return [bool(np.isnan(t.detach().numpy()).all()) for t in (with_weights, P, without)]

    assert agree(program) == [True, True, False]


OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 3, "vdim": 5},
    {"batch_first": True, "dropout": 0.5},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_same_seed_gives_the_same_parameters(options):
    def program(T):
        T.manual_seed(5)
        m = T.nn.MultiheadAttention(6, 2, **options)
        return repr(m), {k: v.numpy().tolist() for k, v in m.state_dict().items()}

    agree(program)


def test_a_model_in_halves_of_another_type():
    m = ndl.nn.MultiheadAttention(4, 2, dtype=ndl.float64)
    x = ndl.randn(3, 2, 4, dtype=ndl.float64)
    assert m(x, x, x)[0].dtype == ndl.float64


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_output_lies_as_the_input_does(batch_first):
    """So that residual sums walk through memory in one order, and a view of the result is possible."""
    m = ndl.nn.MultiheadAttention(4, 2, batch_first=batch_first)
    x = ndl.randn(3, 5, 4)
    y, _ = m(x, x, x, need_weights=False)
    assert y.is_contiguous() and y.view(15, 4).shape == (15, 4)


def call(T, q=(3, 2, 4), k=None, v=None, heads=2, padding=None, mask=None, options=None, **arguments):
    m = T.nn.MultiheadAttention(4, heads, **(options or {}))
    q, k, v = T.ones(*q), T.ones(*(k or q)), T.ones(*(v or k or q))
    padding = None if padding is None else T.zeros(*padding[0], dtype=getattr(T, padding[1]))
    mask = None if mask is None else T.zeros(*mask[0], dtype=getattr(T, mask[1]))
    y, P = m(q, k, v, key_padding_mask=padding, attn_mask=mask, **arguments)
    return list(y.shape), None if P is None else list(P.shape)


@pytest.mark.parametrize(
    "arguments",
    [
        {"q": (4,)},
        {"k": (3, 4)},
        {"q": (3, 4), "k": (3, 2, 4)},
        {"k": (3, 2, 4), "v": (2, 2, 4)},
        {"q": (3, 2, 6)},
        {"padding": ((3,), "bool")},
        {"padding": ((2, 4), "bool")},
        {"padding": ((2, 3), "int64")},
        {"mask": ((3,), "bool")},
        {"mask": ((3, 2), "bool")},
        {"mask": ((2, 3, 3), "bool")},
        {"mask": ((3, 3), "int64")},
        {"q": (3, 4), "mask": ((3, 3, 3), "bool")},
        {"q": (3, 4), "mask": ((2, 3, 3), "bool")},
        {"q": (3, 4), "padding": ((3,), "bool"), "average_attn_weights": False},
        {"is_causal": True},
        {"heads": 3},
        {"heads": 0},
        {"options": {"kdim": 3}},
        {"options": {"kdim": 3, "vdim": 3}, "k": (5, 2, 3), "v": (4, 2, 3)},
        {"need_weights": False},
        {"average_attn_weights": False},
    ],
)
def test_arguments_do_what_pytorchs_do(arguments):
    def result(T):
        try:
            return call(T, **arguments)
        except AssertionError:
            return "AssertionError"

    agree(lambda T: outcome(lambda: result(T)))


@pytest.mark.parametrize("keys", ["the query", "one tensor", "two tensors"])
def test_attention_without_features(keys):
    def program(T, q, k, v, W, b, W_o):
        k, v = {"the query": (q, q), "one tensor": (k, k), "two tensors": (k, v)}[keys]
        inputs = (q, k, v, 0, 1, W, b, None, None, False, 0.0, W_o, b)
        return T.nn.functional.multi_head_attention_forward(*inputs, need_weights=False)[0]

    x, W = np.zeros((3, 2, 0)), np.zeros((0, 0))
    same(program, x, x, x, W, np.zeros(0), W)


def test_masks_of_two_types_are_deprecated():
    for T in (torch, ndl):
        with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
            call(T, padding=((2, 3), "bool"), mask=((3, 3), "float32"))


def test_messages_say_what_was_given():
    with pytest.raises(AssertionError, match=r"embedding dimension of 4, but got 6"):
        call(ndl, q=(3, 2, 6))
    with pytest.raises(RuntimeError, match=r"\[3, 2\], but should be \(3, 3\)"):
        call(ndl, mask=((3, 2), "bool"))
