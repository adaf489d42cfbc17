"""Functions that users write: the examples of PyTorch's documentation run as they stand; mistakes raise."""

import math

import numpy as np
import pytest
import torch

import ndl
from tests.both import leaves, refused, same

x3 = np.array([0.5, -1.0, 2.0])
y3 = np.array([1.5, 0.25, -2.0])


def exp(T):
    class Exp(T.autograd.Function):
        @staticmethod
        def forward(ctx, i):
            result = i.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad_output):
            (result,) = ctx.saved_tensors
            return grad_output * result

    return Exp


def legendre(T):
    class LegendrePolynomial3(T.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    return LegendrePolynomial3


def mul_constant(T):
    class MulConstant(T.autograd.Function):
        @staticmethod
        def forward(tensor, constant):
            return tensor * constant

        @staticmethod
        def setup_context(ctx, inputs, output):
            _tensor, constant = inputs
            ctx.constant = constant

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output * ctx.constant, None

    return MulConstant


def linear(T):
    class LinearFunction(T.autograd.Function):
        @staticmethod
        def forward(input, weight, bias):
            output = input.mm(weight.t())
            if bias is not None:
                output += bias.unsqueeze(0).expand_as(output)
            return output

        @staticmethod
        def setup_context(ctx, inputs, output):
            input, weight, bias = inputs
            ctx.save_for_backward(input, weight, bias)

        @staticmethod
        def backward(ctx, grad_output):
            input, weight, bias = ctx.saved_tensors
            grad_input = grad_weight = grad_bias = None
            if ctx.needs_input_grad[0]:
                grad_input = grad_output.mm(weight)
            if ctx.needs_input_grad[1]:
                grad_weight = grad_output.t().mm(input)
            if bias is not None and ctx.needs_input_grad[2]:
                grad_bias = grad_output.sum(0)
            return grad_input, grad_weight, grad_bias

    return LinearFunction


class TestTheExamples:
    @pytest.mark.parametrize("make", [exp, legendre])
    def test_functions_of_one_tensor(self, make):
        same(lambda T, x: make(T).apply(x), x3)
        same(lambda T, x: make(T).apply(x * 2) + x, x3)

    @pytest.mark.parametrize("make", [exp, legendre])
    def test_their_second_derivatives(self, make):
        same(lambda T, x: T.autograd.grad(make(T).apply(x).sum(), x, create_graph=True), x3)

    def test_a_polynomial_is_fitted(self):
        """The program of the tutorial: y = a + b P3(c + d x) learns sin(x)."""

        def program(T):
            x = T.linspace(-math.pi, math.pi, 2000, dtype=T.float64)
            y = T.sin(x)
            a, b, c, d = (T.full((), v, dtype=T.float64, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3))
            P3 = legendre(T).apply
            for _ in range(30):
                loss = (a + b * P3(c + d * x) - y).pow(2).sum()
                loss.backward()
                with T.no_grad():
                    for p in (a, b, c, d):
                        p -= 5e-6 * p.grad
                        p.grad = None
            return loss.item(), a.item(), b.item(), c.item(), d.item()

        np.testing.assert_allclose(program(ndl), program(torch), rtol=1e-10, atol=1e-15)

    def test_arguments_that_are_not_tensors(self):
        same(lambda T, x: mul_constant(T).apply(x, 5.5), x3)
        same(lambda T, x: mul_constant(T).apply(x, None) if x is None else mul_constant(T).apply(x, 2), x3)

    @pytest.mark.parametrize("bias", [True, False])
    def test_a_linear_layer(self, bias):
        rng = np.random.default_rng(0)
        x, w, b = rng.standard_normal((4, 3)), rng.standard_normal((2, 3)), rng.standard_normal(2)
        if bias:
            same(lambda T, x, w, b: linear(T).apply(x, w, b), x, w, b)
        else:
            same(lambda T, x, w: linear(T).apply(x, w, None), x, w)

    def test_gradcheck_accepts_them(self):
        for make in (exp, legendre, lambda T: type("F", (mul_constant(T),), {})):
            arguments = leaves(ndl, (x3,)) + ([2.5] if make not in (exp, legendre) else [])
            assert ndl.autograd.gradcheck(make(ndl).apply, arguments)
            assert ndl.autograd.gradgradcheck(make(ndl).apply, arguments)


class TestOnceDifferentiable:
    @staticmethod
    def make(T):
        from importlib import import_module

        once = import_module(f"{T.__name__}.autograd.function").once_differentiable

        class Square(T.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                ctx.save_for_backward(a)
                return a * a

            @staticmethod
            @once
            def backward(ctx, g):
                (a,) = ctx.saved_tensors
                return T.from_numpy(2 * a.detach().numpy() * g.detach().numpy())

        return Square

    def test_the_first_derivative_works(self):
        same(lambda T, x: self.make(T).apply(x), x3)

    def test_the_second_is_refused(self):
        def program(T, x):
            (g,) = T.autograd.grad((self.make(T).apply(x) * x).sum(), x, create_graph=True)
            return g

        refused(program, x3)
