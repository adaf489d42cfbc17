"""The kernel of attention: both ways to the exponentials, pieces and threads, and what is not needed."""

import numpy as np
import pytest

from ndl.kernels import attention as kernel

RNG = np.random.default_rng(0)


def test_moderate_and_large_scores_give_the_same():
    """The two ways to the exponentials meet: 20 is where one takes over from the other."""
    q, k, v = (RNG.standard_normal((3, 4, 8)) for _ in range(3))
    for scale in (1.0, 30.0):
        y, E, l = kernel.attend(q, k, v, scale)
        s = scale * q @ k.swapaxes(-1, -2)
        P = np.exp(s - s.max(-1, keepdims=True))
        P /= P.sum(-1, keepdims=True)
        np.testing.assert_allclose(y, P @ v, rtol=1e-12)
        np.testing.assert_allclose(E / l, P, rtol=1e-12, atol=1e-300)
        assert (np.abs(s).max() > kernel.MODERATE) == (scale == 30.0)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (1, 7), (2, 1, 5)])
def test_pieces_and_threads_do_not_change_a_number(shape, monkeypatch):
    q, k, v, dy = (RNG.standard_normal((*shape, 6, 4)).astype(np.float32) for _ in range(4))
    whole = kernel.attend(q, k, v, 0.5)
    grads = kernel.attend_backward(dy, q, k, v, *whole, 0.5)
    monkeypatch.setattr(kernel, "PIECE_BYTES", 2 * 6 * 6 * 4)
    monkeypatch.setattr(kernel, "WORTH_A_THREAD", 1)
    cut = kernel.attend(q, k, v, 0.5)
    for a, b in zip((*whole, *grads[:3]), (*cut, *kernel.attend_backward(dy, q, k, v, *cut, 0.5)[:3])):
        assert np.array_equal(a, b)


def test_what_is_not_needed_is_not_made():
    q, k, v, dy = (RNG.standard_normal((2, 6, 4)) for _ in range(4))
    y, E, l = kernel.attend(q, k, v, 0.5)
    everything = kernel.attend_backward(dy, q, k, v, y, E, l, 0.5, need=(True, True, True, True))
    for i in range(4):
        need = tuple(n == i for n in range(4))
        grads = kernel.attend_backward(dy, q, k, v, y, E, l, 0.5, need=need)
        assert [g is not None for g in grads] == list(need)
        assert np.array_equal(grads[i], everything[i])


def test_heads_lie_inside():
    a = kernel.heads_inside((2, 3, 5, 4), np.dtype(np.float32))
    assert a.shape == (2, 3, 5, 4) and a.swapaxes(1, 2).flags.c_contiguous
    assert kernel.heads_inside((5, 4), np.dtype(np.float32)).flags.c_contiguous
