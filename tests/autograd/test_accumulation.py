"""Gradients add up: over uses, over forward passes, over backward calls."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import leaves, refused, run, same, values

rng = np.random.default_rng(0)
x3, y3, w34 = rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal((3, 4))


def test_several_forward_passes_before_one_backward():
    """The project this one grew from kept what backward needs in the layer, so only its last call counted.

    Here every call is recorded on its own: the gradient is the sum over all calls.
    """
    w = ndl.tensor([2.0, -1.0], dtype=ndl.float64, requires_grad=True)
    inputs = [np.array([1.0, 10.0]), np.array([2.0, 20.0]), np.array([4.0, 40.0])]

    losses = [(w * ndl.from_numpy(x) * w).sum() for x in inputs]  # three forward passes through one layer
    total = losses[0] + losses[1] + losses[2]
    total.backward()  # one backward pass

    all_calls = sum(2 * values(w) * x for x in inputs)
    last_call = 2 * values(w) * inputs[-1]
    np.testing.assert_allclose(values(w.grad), all_calls)
    assert not np.allclose(values(w.grad), last_call)


@pytest.mark.parametrize(
    "program",
    [
        lambda T, x: x * x,
        lambda T, x: x + x,
        lambda T, x: x * x * x + x,
        lambda T, x: (x + x) * (x * x + x),
        lambda T, x: [x, x * 2, x * 3],
        lambda T, x: (lambda z: z * z + z + z)(x * 1),
        lambda T, x: (lambda z: [z, z * z, z])(x * 2),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
def test_a_value_used_several_times(program, shape):
    same(program, np.asarray(rng.standard_normal(shape)))


def test_a_gradient_that_is_a_view_of_another_is_not_added_to():
    def program(T, x):
        a, b = x * 1, x * 2
        c = b.sin()
        return c, a + b.t()  # the gradient of b.t() is a view of that of a, and c adds to the gradient of b

    same(program, rng.standard_normal((3, 3)))


def test_tied_weights():
    def program(T, x, w):
        encoded = (x @ w).tanh()
        return encoded @ w.t()

    same(program, rng.standard_normal((5, 3)), w34)


def test_one_layer_in_a_loop():
    def program(T, x, w):
        for _ in range(4):
            x = (x @ w @ w.t()).tanh()
        return x

    same(program, rng.standard_normal((5, 3)), w34)


def test_several_backward_calls_add_up():
    def program(T, x):
        loss = (x * x * x).sum()
        for _ in range(3):
            loss.backward(retain_graph=True)
        return loss.detach(), x.grad

    same(program, x3)


def test_backward_from_two_losses_with_a_common_part():
    def program(T, x):
        common = x * x
        a, b = (common * x).sum(), common.exp().sum()
        a.backward(retain_graph=True)
        b.backward()
        return x.grad

    same(program, x3)


def test_backward_twice_needs_retain_graph():
    def program(T, x):
        loss = (x * x).sum()
        loss.backward()
        loss.backward()

    assert "retain_graph=True" in refused(program, x3)


def test_backward_twice_works_where_nothing_was_kept():
    def program(T, x):
        y = x + 1
        y.backward(T.ones_like(y))
        y.backward(T.ones_like(y))
        return x.grad

    same(program, x3)


def test_a_first_gradient_is_new_memory_and_later_ones_are_added_in_place():
    def program(T, x):
        g = T.ones_like(x)
        (x + 0).backward(g)
        first = x.grad
        first_is_given = first is g
        (x * 2).backward(g)
        assert x.grad is first and not first_is_given
        assert g.tolist() == [1, 1, 1]
        return first

    same(program, x3)


def test_gradients_of_different_leaves_never_share_memory():
    for T in (ndl, torch):
        for create_graph in (False, True):
            x, y = leaves(T, (x3, y3))
            (x + y).sum().backward(create_graph=create_graph)
            with T.no_grad():
                x.grad.zero_()
            assert x.grad.tolist() == [0, 0, 0]
            assert y.grad.tolist() == [1, 1, 1]


def test_assigning_and_clearing_grad():
    def program(T, x):
        (x * 2).sum().backward()
        kept = x.grad
        x.grad = None
        (x * 3).sum().backward()
        first = x.grad.clone()
        x.grad.zero_()
        (x * 5).sum().backward()
        x.grad = x.grad + kept
        (x * 7).sum().backward()
        return kept, first, x.grad

    same(program, x3)


@pytest.mark.parametrize(
    "value, error",
    [
        (lambda T: T.ones(2, dtype=T.float64), RuntimeError),
        (lambda T: T.ones(3, dtype=T.float32), RuntimeError),
        (lambda T: [1.0, 2.0, 3.0], TypeError),
    ],
)
def test_a_grad_that_does_not_fit_is_refused(value, error):
    for T in (ndl, torch):
        (x,) = leaves(T, (x3,))
        with pytest.raises(error):
            x.grad = value(T)
        assert x.grad is None


@pytest.mark.parametrize("shape", [(3,), (1,), (), (2, 3)])
def test_broadcasting_adds_up(shape):
    same(lambda T, x, y: x * y + x / (y * y + 1), rng.standard_normal(shape), rng.standard_normal((2, 3)))


def test_backward_arguments():
    def weighted(T, x):
        y = x * x
        y.backward(gradient=T.tensor([1.0, 2.0, 3.0], dtype=T.float64))
        return x.grad

    same(weighted, x3)
    refused(lambda T, x: (x * 2).backward(), x3)
    refused(lambda T, x: (x * 2).backward(T.ones(2, dtype=T.float64)), x3)
    refused(lambda T, x: x.detach().sum().backward(), x3)
    refused(lambda T, x: (x * 2).sum().backward(inputs=[]), x3)
    refused(lambda T, x: T.autograd.backward([x.sum(), x.sum()], [None]), x3)


def test_backward_of_several_tensors_at_once():
    def program(T, x, y):
        a, b = x * y, (x + y).sum()
        T.autograd.backward([a, b], [T.ones_like(a), None])
        return x.grad, y.grad

    same(program, x3, y3)


def test_backward_for_some_inputs_only():
    def program(T, x, y):
        z = x * y
        (z * z).sum().backward(inputs=[x, z])
        return x.grad, z.grad, T.tensor(y.grad is None)

    same(program, x3, y3)


def test_of_float32_leaves_the_gradients_are_float32():
    def program(T, x):
        a = T.ones(3, requires_grad=True)
        (a * x).sum().backward()
        return a.grad, x.grad

    same(program, x3)


def test_what_is_compared_can_differ():
    """The comparison itself: a lost gradient, a wrong value and a wrong type are seen."""
    wrong = [
        lambda T, x: x * (x if T is torch else x.detach()),
        lambda T, x: x * (2 if T is torch else 2 + 1e-9),
        lambda T, x: x.detach() if T is ndl else x * 1,
    ]
    for program in wrong:
        with pytest.raises(AssertionError):
            same(program, x3)
    with pytest.raises(AssertionError):
        refused(lambda T, x: x.backward() if T is torch else x * 1, x3)
    assert set(run(torch, lambda T, x: x, (x3,))) == {
        "requires_grad",
        "output 0",
        "gradient of input 0",
        "input 0",
    }
