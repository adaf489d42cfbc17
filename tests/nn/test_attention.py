"""The protocol for ``ndl.nn.attention``, and what its cases cannot say."""

import math

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from ndl.verify.parity import relative_error
from tests.both import agree, outcome, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.attention")

RNG = np.random.default_rng(0)


def test_closed_form():
    """Equal keys: every value has the same weight. One key: its value."""
    q, v = ndl.randn(2, 3, 4), ndl.randn(2, 5, 6)
    y = F.scaled_dot_product_attention(q, ndl.ones(2, 5, 4), v)
    np.testing.assert_allclose(y.numpy(), np.broadcast_to(v.numpy().mean(1, keepdims=True), y.shape), rtol=1e-5)
    one = F.scaled_dot_product_attention(q, ndl.randn(2, 1, 4), v[:, :1])
    np.testing.assert_allclose(one.numpy(), np.broadcast_to(v.numpy()[:, :1], one.shape), rtol=1e-6)


def test_float32_is_as_good_as_pytorchs():
    q, k, v = (RNG.standard_normal((2, 3, 17, 8)) for _ in range(3))

    def run(T, dtype):
        tensors = [T.from_numpy(a.astype(dtype)).requires_grad_() for a in (q, k, v)]
        y = T.nn.functional.scaled_dot_product_attention(*tensors, is_causal=True)
        y.pow(2).sum().backward()
        return [np.array(y.detach().numpy()), *(np.array(t.grad.numpy()) for t in tensors)]

    for ours, theirs, truth in zip(run(ndl, np.float32), run(torch, np.float32), run(ndl, np.float64)):
        assert ours.dtype == np.float32
        assert relative_error(ours, truth) <= 4 * relative_error(theirs, truth) + 1e-7


def test_masked_out_infinities_stay_out():
    """A key of nan that nobody looks at changes nothing; its gradient is 0."""
    q, k, v = (ndl.randn(1, 3, 4).requires_grad_() for _ in range(3))
    with ndl.no_grad():
        k[0, 2] = math.inf
    y = F.scaled_dot_product_attention(q, k, v, ndl.tensor([True, True, False]))
    y.sum().backward()
    assert np.isfinite(y.detach().numpy()).all() and not v.grad.numpy()[0, 2].any()


def test_nan_shows():
    """PyTorch's fused kernel gives 0 for a query of nan; here it is nan, as in PyTorch's plain one."""
    q = ndl.full((1, 1, 2, 2), math.nan)
    assert np.isnan(F.scaled_dot_product_attention(q, ndl.ones(1, 1, 2, 2), ndl.ones(1, 1, 2, 2)).numpy()).all()


def test_nothing_to_look_at_and_nobody_who_looks():
    for shapes in ([(2, 3, 4), (2, 0, 4), (2, 0, 5)], [(2, 0, 4), (2, 3, 4), (2, 3, 5)], [(0, 3, 4)] * 3):
        same(lambda T, q, k, v: T.nn.functional.scaled_dot_product_attention(q, k, v), *map(np.zeros, shapes))
    y = F.scaled_dot_product_attention(ndl.ones(2, 3, 0), ndl.ones(2, 4, 0), ndl.ones(2, 4, 5))
    assert y.tolist() == ndl.ones(2, 3, 5).tolist()


def test_used_twice_before_one_backward():
    x = RNG.standard_normal((2, 3, 4))

    def program(T, x):
        f = T.nn.functional.scaled_dot_product_attention
        return f(f(x, x, x, is_causal=True), x, x)

    same(program, x)


def test_heads_are_joined_without_a_copy():
    q = ndl.randn(2, 3, 5, 4)
    y = F.scaled_dot_product_attention(q, q, q)
    joined = y.transpose(1, 2).reshape(2, 5, 12)
    assert np.shares_memory(joined.numpy(), y.numpy())


R = {"q": (2, 3, 4), "k": (2, 5, 4), "v": (2, 5, 6)}


def call(T, q=R["q"], k=R["k"], v=R["v"], mask=None, dtypes=(None, None, None), **options):
    tensors = [T.ones(*shape, dtype=t and getattr(T, t)) for shape, t in zip((q, k, v), dtypes)]
    mask = None if mask is None else T.ones(mask[0], dtype=getattr(T, mask[1]))
    return list(T.nn.functional.scaled_dot_product_attention(*tensors, mask, **options).shape)


FEW = [((5,), "bool"), ((), "bool"), ((), "float32"), ((1, 1), "bool")]  # too few dimensions, and just enough


@pytest.mark.parametrize(
    "options",
    [
        {"q": (4,), "k": (4,), "v": (4,)},
        {"k": (2, 5, 3)},
        {"v": (2, 4, 6)},
        {"q": (3, 3, 4)},
        {"q": (2, 4, 3, 4), "k": (2, 2, 5, 4), "v": (2, 2, 5, 6)},
        {"q": (2, 4, 3, 4), "k": (2, 3, 5, 4), "v": (2, 3, 5, 6), "enable_gqa": True},
        {"q": (2, 4, 3, 4), "k": (2, 2, 5, 4), "v": (2, 4, 5, 6), "enable_gqa": True},
        {"q": (3, 4), "k": (5, 4), "v": (5, 6), "enable_gqa": True},
        {"dtypes": ("float32", "float64", "float32")},
        {"dtypes": ("int64", "int64", "int64")},
        {"mask": ((3, 5), "bool"), "is_causal": True},
        {"mask": ((3, 5), "float64")},
        {"mask": ((3, 5), "int64")},
        {"mask": ((3, 4), "bool")},
        {"mask": ((7, 1, 3, 5), "bool")},
        {"mask": ((5,), "bool")},
        {"mask": ((), "bool")},
        *[{"q": (1, 2, 3, 4), "k": (1, 2, 5, 4), "v": (1, 2, 5, 6), "mask": m} for m in FEW],
        {"dtypes": ("float64", "float64", "float64"), "mask": ((3, 5), "float32")},
        {"dtypes": ("float64", "float64", "float64"), "mask": ((3, 5), "float16")},
        {"dropout_p": 2.0},
        {"dropout_p": -1.0},
        {"scale": 0.0},
    ],
)
def test_arguments_do_what_pytorchs_do(options):
    agree(lambda T: outcome(lambda: call(T, **options)))


def test_a_float32_mask_beside_float64():
    rng = np.random.default_rng(0)
    q, k, v, b = [rng.standard_normal(shape) for shape in ((2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5))]
    results = []
    for T in (ndl, torch):
        mask = T.from_numpy(b.astype(np.float32)).requires_grad_()
        y = T.nn.functional.scaled_dot_product_attention(*map(T.from_numpy, (q, k, v)), mask)
        (y**2).sum().backward()
        results.append((y.detach().numpy(), mask.grad.numpy()))
    (y, db), (their_y, their_db) = results
    np.testing.assert_allclose(y, their_y, rtol=1e-12)
    assert db.dtype == np.float32 and y.dtype == np.float64
    np.testing.assert_allclose(db, their_db, rtol=1e-5, atol=1e-7)


def test_messages_say_what_was_given():
    with pytest.raises(RuntimeError, match=r"query \[2, 3, 4\], key \[2, 5, 3\]"):
        call(ndl, k=(2, 5, 3))
    with pytest.raises(RuntimeError, match=r"enable_gqa=True"):
        call(ndl, (2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6))
    with pytest.raises(RuntimeError, match=r"\[3, 4\] must broadcast to the shape of the scores, \[2, 3, 5\]"):
        call(ndl, mask=((3, 4), "bool"))
    with pytest.raises(TypeError, match="'query'"):
        F.scaled_dot_product_attention([1], ndl.ones(1, 1), ndl.ones(1, 1))
