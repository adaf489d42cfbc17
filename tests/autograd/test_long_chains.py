"""Long chains: nothing recurses, and the time grows in proportion."""

import gc
import sys
import time
import weakref

import numpy as np

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


def seconds(n):
    """CPU time of the forward pass, of backward, and of freeing the graph."""
    times = [time.process_time()]
    x, y = chain(n)
    times.append(time.process_time())
    y.backward()
    times.append(time.process_time())
    del x, y
    times.append(time.process_time())
    return np.diff(times)


def test_time_is_linear():
    gc.collect()
    gc.disable()  # its own time grows with all objects there are
    try:
        short = np.min([seconds(LONG // 5) for _ in range(3)], axis=0)
        long = np.min([seconds(LONG) for _ in range(2)], axis=0)
    finally:
        gc.enable()
    ratios = dict(zip(("forward", "backward", "freeing"), long / short))
    assert all(r < 8 for r in ratios.values()), f"5 times the length took {ratios} times the time"
