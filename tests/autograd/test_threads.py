"""Several threads: each has its own grad mode, and backward may run in many at once."""

import threading

import numpy as np

import ndl
from tests.both import leaves


def in_threads(n, f):
    """Run f(0), …, f(n − 1) at the same time; raise what one of them raised."""
    errors = []
    start = threading.Barrier(n)

    def run(i):
        try:
            start.wait()
            f(i)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def test_backward_of_separate_graphs_at_once():
    rng = np.random.default_rng(0)
    weights, inputs = rng.standard_normal((4, 30, 30)), rng.standard_normal((4, 10, 30))
    results = [None] * 4

    def train(i):
        w, x = ndl.from_numpy(weights[i].copy()).requires_grad_(), ndl.from_numpy(inputs[i])
        for _ in range(20):
            ((x @ w).tanh() ** 2).mean().backward()
            with ndl.no_grad():
                w -= 0.1 * w.grad
            w.grad = None
        results[i] = w.detach().numpy()

    in_threads(4, train)
    at_once, results = results, [None] * 4
    for i in range(4):
        train(i)
    for a, b in zip(at_once, results):
        assert np.array_equal(a, b)


def test_backward_into_one_leaf_loses_no_gradient():
    (w,) = leaves(ndl, (np.ones(300_000),))  # long enough that NumPy lets other threads run while it adds
    two = ndl.full((300_000,), 2.0, dtype=ndl.float64)

    def run(i):
        for _ in range(25):
            w.backward(two)

    in_threads(4, run)
    assert (w.grad.numpy() == 2 * 4 * 25).all()


def test_one_graph_backward_in_many_threads():
    (w,) = leaves(ndl, (np.ones(100),))
    loss = (w * w * w).sum()

    def run(i):
        for _ in range(50):
            loss.backward(retain_graph=True)

    in_threads(4, run)
    assert w.grad.tolist() == [3.0 * 4 * 50] * 100


def test_grad_mode_is_a_threads_own():
    inside = threading.Barrier(2)
    seen = {}

    def run(i):
        (x,) = leaves(ndl, (np.ones(2),))
        if i == 0:
            with ndl.no_grad():
                inside.wait(10)
                seen[0] = (x * 2).requires_grad
                inside.wait(10)
        else:
            inside.wait(10)
            seen[1] = (x * 2).requires_grad
            inside.wait(10)

    in_threads(2, run)
    assert seen == {0: False, 1: True}
