"""Long chains: nothing recurses, and the time grows in proportion."""

import gc
import sys
import time
import weakref

import numpy as np
import pytest

import ndl

LONG = 100_000


def chain(n):
    """n additions after one another, and the leaf they start from."""
    x = ndl.ones((), dtype=ndl.float64, requires_grad=True)
    y = x
    for _ in range(n):
        y = y + 1e-5
    return x, y


def test_forward_backward_and_freeing_of_a_long_chain():
    assert sys.getrecursionlimit() < LONG / 10
    x, y = chain(LONG)
    first = weakref.ref(y.grad_fn)
    np.testing.assert_allclose(y.item(), 1 + LONG * 1e-5)
    y.backward()
    assert x.grad.item() == 1
    y.backward(inputs=[x])  # walks the graph to find what is needed
    assert ndl.autograd.grad(y, x)[0].item() == 1
    del y
    assert first() is None


def test_a_long_chain_of_products_is_differentiated_twice():
    x = ndl.ones((), dtype=ndl.float64, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y * (x * 1.0001)
    (g,) = ndl.autograd.grad(y, x, create_graph=True)
    (h,) = ndl.autograd.grad(g, x)
    np.testing.assert_allclose(h.item() / g.item(), 3000, rtol=1e-10)


def test_a_long_chain_of_writes_in_place():
    x = ndl.ones(2, dtype=ndl.float64, requires_grad=True)
    y = x * 1
    v = y[0]
    for _ in range(3000):
        y.add_(x)
        v.mul_(1.0001)
    y.sum().backward()
    assert np.isfinite(x.grad.numpy()).all() and x.grad[1].item() == 3001


def test_a_wide_graph():
    x = ndl.ones((), dtype=ndl.float64, requires_grad=True)
    total = sum((x * float(i) for i in range(3000)), start=x)
    total.backward()
    assert x.grad.item() == 1 + sum(range(3000))


@pytest.mark.parametrize("part", ["forward", "backward", "free"])
def test_time_is_linear(part):
    def seconds(n):
        start = time.perf_counter()
        x, y = chain(n)
        if part == "forward":
            return time.perf_counter() - start
        start = time.perf_counter()
        y.backward()
        if part == "backward":
            return time.perf_counter() - start
        start = time.perf_counter()
        del x, y
        return time.perf_counter() - start

    gc.collect()
    gc.disable()  # its own time grows with all objects there are
    try:
        ratio = min(seconds(LONG) for _ in range(2)) / min(seconds(LONG // 5) for _ in range(2))
    finally:
        gc.enable()
    assert ratio < 8, f"5 times the length took {ratio:.1f} times the time"
