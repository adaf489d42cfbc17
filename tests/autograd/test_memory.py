"""Memory: freed as backward proceeds, constant over a training loop, and without reference cycles."""

import gc
import tracemalloc
import weakref
from typing import ClassVar

import numpy as np
import pytest

import ndl
from ndl.autograd import ArrayFunction


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def layers(x, weights):
    for w in weights:
        x = (x @ w).tanh() * 1.5
    return x


class Watched(ArrayFunction):
    """y = 2 x, which reports how many of the arrays saved before it are still alive when it runs backward."""

    alive: ClassVar[list] = []
    seen: ClassVar[list] = []

    @staticmethod
    def forward(ctx, x):
        kept = x * 1
        Watched.alive.append(weakref.ref(kept))
        ctx.kept = kept
        return 2 * x

    @staticmethod
    def backward(ctx, dy):
        Watched.seen.append(sum(r() is not None for r in Watched.alive))
        return 2 * dy


def test_saved_values_are_freed_as_backward_proceeds(without_collector):
    Watched.alive, Watched.seen = [], []
    x = ndl.ones(5, requires_grad=True)
    y = x
    for _ in range(4):
        y = Watched.apply(y)
    assert sum(r() is not None for r in Watched.alive) == 4
    y.sum().backward()
    assert Watched.seen == [4, 3, 2, 1]
    assert all(r() is None for r in Watched.alive)


def test_with_retain_graph_they_are_kept(without_collector):
    Watched.alive, Watched.seen = [], []
    x = ndl.ones(5, requires_grad=True)
    y = Watched.apply(Watched.apply(x)).sum()
    y.backward(retain_graph=True)
    assert Watched.seen == [2, 2]
    y.backward()
    assert all(r() is None for r in Watched.alive)


def test_peak_of_backward_is_below_that_of_keeping_everything():
    """Forward keeps one array for each layer; backward needs two or three more at a time, not one for each layer."""
    size, depth = 200_000, 40

    def peak(retain_graph):
        x = ndl.ones(size, requires_grad=True)
        y = x
        for _ in range(depth):
            y = y.tanh()
        y = y.sum()
        tracemalloc.start()
        y.backward(retain_graph=retain_graph)
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top / (4 * size)

    assert peak(False) < 8 and peak(True) < 8


def test_the_graph_of_a_result_that_is_dropped_is_freed_at_once(without_collector):
    x = ndl.ones(5, requires_grad=True)
    y = (x * x).exp()
    array, node = weakref.ref(y._array), weakref.ref(y.grad_fn)
    del y
    assert array() is None and node() is None


@pytest.mark.parametrize("what", ["backward", "grad", "create_graph", "in_place", "hooks", "function"])
def test_a_training_step_leaves_no_cycles(what, without_collector):
    rng = np.random.default_rng(0)
    weights = [ndl.from_numpy(rng.standard_normal((4, 4))).requires_grad_() for _ in range(3)]
    x = ndl.from_numpy(rng.standard_normal((2, 4)))

    class Double(ndl.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    def step():
        y = layers(x, weights)
        if what == "in_place":
            y[0] = 1.0
            v = y[1]
            v.mul_(2)
            y += v
        if what == "hooks":
            y.retain_grad()
            y.register_hook(lambda g: g * 2)
        if what == "function":
            y = Double.apply(y)
        loss = (y * y).mean()
        if what == "grad":
            gradients = ndl.autograd.grad(loss, weights)
        elif what == "create_graph":
            first = ndl.autograd.grad(loss, weights, create_graph=True)
            gradients = ndl.autograd.grad(sum((g * g).sum() for g in first), weights)
        else:
            loss.backward()
            gradients = [w.grad for w in weights]
        with ndl.no_grad():
            for w, g in zip(weights, gradients):
                w -= 0.01 * g
                w.grad = None

    step()
    gc.collect()
    for _ in range(5):
        step()
    assert gc.collect() == 0


def test_a_training_loop_does_not_grow(without_collector):
    rng = np.random.default_rng(0)
    weights = [ndl.from_numpy(rng.standard_normal((50, 50))).requires_grad_() for _ in range(3)]
    x = ndl.from_numpy(rng.standard_normal((20, 50)))
    total = ndl.zeros(())

    def step():
        loss = (layers(x, weights) ** 2).mean()
        loss.backward()
        with ndl.no_grad():
            for w in weights:
                w -= 1e-3 * w.grad
                w.grad.zero_()
        total.add_(loss.detach())

    for _ in range(20):
        step()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(200):
        step()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000, f"200 steps grew by {after - before} bytes"


def test_results_that_are_kept_do_not_keep_what_backward_freed(without_collector):
    x = ndl.ones(100_000, requires_grad=True)
    tracemalloc.start()
    losses = []
    for _ in range(10):
        loss = x.tanh().exp().sum()
        loss.backward()
        losses.append(loss)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 3 * 4 * 100_000, f"{held} bytes for the gradient and ten numbers"
