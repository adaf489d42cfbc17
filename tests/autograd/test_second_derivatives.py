"""create_graph: second and third derivatives against closed forms, finite programs and PyTorch."""

import numpy as np
import pytest

import ndl
from tests.both import leaves, refused, same

rng = np.random.default_rng(0)
x3, v3 = rng.standard_normal(3), rng.standard_normal(3)


def test_hessian_vector_product_of_a_quartic():
    """f(x) = (xᵀA x)²: with q = xᵀA x and S = A + Aᵀ, the Hessian is 2 S x xᵀ S + 2 q S."""
    A = rng.standard_normal((3, 3))
    x, v = leaves(ndl, (x3, v3))
    a = ndl.from_numpy(A)
    f = (x @ a @ x) ** 2
    (g,) = ndl.autograd.grad(f, x, create_graph=True)
    (hv,) = ndl.autograd.grad((g * v.detach()).sum(), x)
    S, q = A + A.T, x3 @ A @ x3
    np.testing.assert_allclose(g.detach().numpy(), 2 * q * S @ x3, rtol=1e-12)
    np.testing.assert_allclose(hv.numpy(), 2 * S @ x3 * (x3 @ S @ v3) + 2 * q * S @ v3, rtol=1e-12)


def test_a_whole_hessian_is_symmetric():
    (x,) = leaves(ndl, (x3,))
    f = (x.exp() * x.flip(0).sin()).sum() * x.prod()
    (g,) = ndl.autograd.grad(f, x, create_graph=True)
    rows = [ndl.autograd.grad(g[i], x, retain_graph=True)[0].numpy() for i in range(3)]
    H = np.stack(rows)
    np.testing.assert_allclose(H, H.T, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_a_power(order):
    (x,) = leaves(ndl, (x3,))
    y, factor = x**5, 1
    for k in range(order):
        (y,) = ndl.autograd.grad(y.sum(), x, create_graph=True)
        factor *= 5 - k
    np.testing.assert_allclose(y.detach().numpy(), factor * x3 ** (5 - order), rtol=1e-12)


def test_third_derivative_through_many_functions():
    def program(T, x):
        y = (x.tanh() * x.exp() + x.sin() / (x * x + 1)).sum()
        (g,) = T.autograd.grad(y, x, create_graph=True)
        (h,) = T.autograd.grad((g * g).sum(), x, create_graph=True)
        return (h * g).sum()  # same() takes the gradient of this

    same(program, x3)


def test_gradient_penalty_training():
    """Three steps on a critic with the gradient penalty of Gulrajani et al. 2017, section 4."""
    data = rng.standard_normal((8, 3))

    def program(T, w1, w2):
        x = T.from_numpy(data).requires_grad_()
        losses = []
        for _ in range(3):
            score = (x @ w1).tanh() @ w2
            (slope,) = T.autograd.grad(score.sum(), x, create_graph=True)
            norm = ((slope * slope).sum(1) + 1e-12).sqrt()
            loss = score.mean() + 10 * ((norm - 1) ** 2).mean()
            w1.grad = w2.grad = None
            loss.backward()
            losses.append(loss.detach())
            with T.no_grad():
                w1 -= 0.01 * w1.grad
                w2 -= 0.01 * w2.grad
        return losses, w1.detach(), w2.detach()

    same(program, rng.standard_normal((3, 5)), rng.standard_normal(5))


def test_backward_with_create_graph_makes_grad_differentiable():
    def program(T, x):
        (x * x * x).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        return (g * g).sum()

    same(program, x3)


def test_grad_that_is_added_to_stays_differentiable():
    def program(T, x):
        (x * x * x).sum().backward(create_graph=True)
        (x.exp()).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        return g

    same(program, x3)


def test_create_graph_keeps_the_graph():
    def program(T, x):
        y = (x * x).sum()
        first = T.autograd.grad(y, x, create_graph=True)
        second = T.autograd.grad(y, x)
        return first, second

    same(program, x3)


def test_first_derivatives_alone_are_not_recorded():
    def program(T, x):
        (g,) = T.autograd.grad((x * x).sum(), x, retain_graph=True)
        return T.tensor([g.requires_grad, g.is_leaf]), g

    same(program, x3)
    refused(lambda T, x: T.autograd.grad(T.autograd.grad((x * x).sum(), x)[0].sum(), x), x3)


def test_gradients_of_grad_outputs():
    def program(T, x, v):
        (g,) = T.autograd.grad(x.exp(), x, v, create_graph=True)
        return g

    same(program, x3, v3)


def test_through_broadcasting():
    def program(T, x, w):
        y = (w * x).exp()
        (g,) = T.autograd.grad(y.sum(), x, create_graph=True)
        return g * w

    same(program, x3, rng.standard_normal((2, 3)))


def test_through_writes_in_place():
    def program(T, x, w):
        y = x * x
        y[1:] *= w[1:]
        y.mul_(w)
        v = y[:2]
        v.mul_(x[:2])
        return T.autograd.grad((y * y).sum(), (x, w), create_graph=True)

    same(program, x3, v3)


def test_through_an_overlapping_view_of_a_base_that_was_written():
    def program(T, x, w):
        y = x * 1
        v, u = y.expand(2, 3), y.unfold(0, 2, 1)
        y.mul_(w)
        return T.autograd.grad((v**3).sum() + (u**3).sum(), (x, w), create_graph=True)

    same(program, x3, v3)


def test_of_a_value_that_was_written_in_between():
    def program(T, x):
        y = x * 1
        (g,) = T.autograd.grad((y * y * y).sum(), x, create_graph=True)
        y.add_(1)
        return g

    refused(program, x3)


def test_retain_grad_and_hooks_are_recorded():
    def program(T, x):
        y = x * x
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        (y * y).sum().backward(create_graph=True)
        g = y.grad
        x.grad = None
        return g

    same(program, x3)
