"""Functions that users write: the examples of PyTorch's documentation run as they stand; mistakes raise."""

import math

import numpy as np
import pytest
import torch

import ndl
from ndl.autograd import ArrayFunction
from tests.both import agree, leaves, outcome, refused, same

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


class TestTheContext:
    def test_needs_input_grad(self):
        def program(T):
            seen = []

            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a, b, c, d):
                    seen.append(ctx.needs_input_grad)
                    return a * b + c

                @staticmethod
                def backward(ctx, g):
                    seen.append(ctx.needs_input_grad)
                    return g, g, g, None

            x, y = leaves(T, (x3, y3))
            z = y.detach()
            F.apply(x, z, y, 3).sum().backward()
            F.apply(z, z, z, 3)
            return seen

        agree(program)

    def test_inside_forward_nothing_is_recorded(self):
        def program(T):
            seen = []

            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    seen.append((T.is_grad_enabled(), a.requires_grad, (a * 2).requires_grad))
                    return a * 2

                @staticmethod
                def backward(ctx, g):
                    seen.append((T.is_grad_enabled(), g.requires_grad))
                    return g * 2

            (x,) = leaves(T, (x3,))
            y = F.apply(x)
            seen.append((y.requires_grad, y.is_leaf))
            y.sum().backward(retain_graph=True)
            y.sum().backward(create_graph=True)
            return seen

        agree(program)

    def test_several_outputs(self):
        def program(T, x, y):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a, b):
                    ctx.save_for_backward(a, b)
                    return a * b, a + b

                @staticmethod
                def backward(ctx, dp, ds):
                    a, b = ctx.saved_tensors
                    return dp * b + ds, dp * a + ds

            p, s = F.apply(x, y)
            assert isinstance(F.apply(x, y), tuple)
            return p * s, p

        same(program, x3, y3)

    @pytest.mark.parametrize("materialize", [True, False])
    def test_outputs_that_nothing_was_computed_from(self, materialize):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    ctx.set_materialize_grads(materialize)
                    return a * 2, a * 3

                @staticmethod
                def backward(ctx, g, h):
                    missing = [t is None for t in (g, h)]
                    assert missing == [False, not materialize]
                    assert materialize is False or h.tolist() == [0, 0, 0]
                    return g * 2 if h is None else g * 2 + h * 3

            return F.apply(x)[0]

        same(program, x3)

    def test_mark_non_differentiable(self):
        def program(T, x):
            class Sort(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    values, order = a.sort()
                    twice = a * 2
                    ctx.mark_non_differentiable(order, twice)
                    ctx.save_for_backward(a, order)
                    return values, order, twice

                @staticmethod
                def backward(ctx, g1, g2, g3):
                    a, order = ctx.saved_tensors
                    grad = T.zeros_like(a)
                    grad.index_add_(0, order, g1)
                    return grad

            values, order, twice = Sort.apply(x)
            assert not order.requires_grad and not twice.requires_grad
            return values, order, twice

        same(program, x3)

    def test_integer_outputs_need_no_mark(self):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2, (a > 0).long()

                @staticmethod
                def backward(ctx, g, _):
                    return g * 2

            return F.apply(x)

        same(program, x3)

    def test_mark_dirty(self):
        def program(T, x):
            class Inplace(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    a.add_(1)
                    a.mul_(2)
                    ctx.mark_dirty(a)
                    return a

                @staticmethod
                def backward(ctx, g):
                    return g * 2

            a = x * 1
            b = Inplace.apply(a)
            assert b is a
            return b * b, a * 3

        same(program, x3)

    def test_mark_dirty_of_what_was_kept_elsewhere(self):
        def program(T, x):
            class Inplace(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    a.mul_(2)
                    ctx.mark_dirty(a)
                    return a

                @staticmethod
                def backward(ctx, g):
                    return g * 2

            a = x * 1
            kept = a * a
            return Inplace.apply(a), kept

        assert "modified by an inplace operation" in refused(program, x3)

    def test_mark_dirty_of_a_leaf_is_refused(self):
        def program(T, x):
            class Inplace(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    a.mul_(2)
                    ctx.mark_dirty(a)
                    return a

                @staticmethod
                def backward(ctx, g):
                    return g * 2

            return Inplace.apply(x)

        refused(program, x3)

    def test_outputs_that_are_no_tensors(self):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2, 3, "three", None

                @staticmethod
                def backward(ctx, *grads):
                    assert grads[1:] == (None, None, None)
                    return grads[0] * 2

            y, *others = F.apply(x)
            assert others == [3, "three", None]
            return y

        same(program, x3)

    def test_constants_on_ctx(self):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a, k, names):
                    ctx.k, ctx.mask, ctx.names = k, a > 0, names
                    return a * k

                @staticmethod
                def backward(ctx, g):
                    assert ctx.names == ["a", "b"]
                    return g * ctx.k * ctx.mask, None, None

            return F.apply(x, 3.0, ["a", "b"])

        same(program, x3)

    def test_a_saved_value_that_was_overwritten(self):
        def program(T, x):
            a = x * 1
            y = exp(T).apply(a)
            y.add_(1)
            return y

        assert "modified by an inplace operation" in refused(program, x3)


class TestViewsAndInputs:
    def test_an_input_returned_as_it_is(self):
        def program(T, x):
            class Same(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a

                @staticmethod
                def backward(ctx, g):
                    return g * 10

            y = Same.apply(x)
            assert y is not x and not y.is_leaf
            return y * y

        same(program, x3)

    def test_gradient_reversal(self):
        def reverse(T):
            class Reverse(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a.view_as(a)

                @staticmethod
                def backward(ctx, g):
                    return -g

            return Reverse

        same(lambda T, x: reverse(T).apply(x * 2) * x, x3)

        def written(T, x):
            y = reverse(T).apply(x * 2)
            y.add_(1)  # would replace the Function's backward by a view's
            return y

        assert "custom Function" in refused(written, x3)

        def base_written(T, x):
            base = x * 2
            y = reverse(T).apply(base)
            base.add_(1)
            return y

        refused(base_written, x3)


class TestMistakes:
    @pytest.mark.parametrize(
        "result",
        [
            lambda T, g: (g, g),
            lambda T, g: (),
            lambda T, g: T.ones(5, dtype=T.float64),
            lambda T, g: T.ones(2, 3, 4, dtype=T.float64),
        ],
    )
    def test_gradients_that_do_not_fit(self, result):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2

                @staticmethod
                def backward(ctx, g):
                    return result(T, g)

            return F.apply(x)

        assert "returned an in" in refused(program, x3)  # an incorrect number, an invalid gradient

    @pytest.mark.parametrize(
        "result",
        [
            lambda T, g: (g, None),
            lambda T, g: None,
            lambda T, g: g.float(),
            lambda T, g: g.expand(2, 3),
        ],
    )
    def test_gradients_that_fit_all_the_same(self, result):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2

                @staticmethod
                def backward(ctx, g):
                    return result(T, T.ones_like(g))

            return F.apply(x) + x

        same(program, x3)

    def test_a_gradient_that_is_no_tensor(self):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2

                @staticmethod
                def backward(ctx, g):
                    return 3.0

            return F.apply(x)

        refused(program, x3)

    def test_missing_methods(self):
        def program(T):
            class NoForward(T.autograd.Function):
                pass

            class NoBackward(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2

            (x,) = leaves(T, (x3,))
            y = NoBackward.apply(x)
            errors = []
            for f in (lambda: NoForward.apply(x), lambda: y.sum().backward()):
                with pytest.raises((NotImplementedError, RuntimeError)) as caught:
                    f()
                errors.append(isinstance(caught.value, NotImplementedError))
            return errors

        agree(program)

    def test_an_error_inside_comes_through(self):
        def program(T, x):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    return a * 2

                @staticmethod
                def backward(ctx, g):
                    raise KeyError("mine")

            return F.apply(x)

        refused(program, x3, error=KeyError)

    def test_the_state_is_restored_after_an_error(self):
        def program(T):
            class F(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    raise KeyError("mine")

            (x,) = leaves(T, (x3,))
            with pytest.raises(KeyError):
                F.apply(x)
            return T.is_grad_enabled()

        assert agree(program) is True


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


class TestArrayFunctions:
    """The house's own kind: NumPy arrays in, NumPy arrays out."""

    class Cube(ArrayFunction):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * dy

    def test_on_arrays_it_just_computes(self):
        y = self.Cube.apply(x3)
        assert type(y) is np.ndarray and y.tolist() == (x3**3).tolist()

    def test_on_tensors_all_derivatives_follow(self):
        (x,) = leaves(ndl, (x3,))
        expected = [3 * x3**2, 6 * x3, np.full(3, 6.0)]
        y = self.Cube.apply(x)
        for values in expected:
            (y,) = ndl.autograd.grad(y.sum(), x, create_graph=True)
            np.testing.assert_allclose(y.detach().numpy(), values)

    def test_an_input_returned_by_mistake_is_found(self):
        class Identity(ArrayFunction):
            @staticmethod
            def forward(ctx, x):
                return x

        with pytest.raises(AssertionError, match="returned its input"):
            Identity.apply(ndl.ones(3))

    def test_an_intermediate_value_cannot_be_differentiated(self):
        class Kept(ArrayFunction):
            @staticmethod
            def forward(ctx, x):
                e = np.exp(x)
                ctx.save_for_backward(e)
                return e + 1

            @staticmethod
            def backward(ctx, dy):
                (e,) = ctx.saved_tensors
                return e * dy

        (x,) = leaves(ndl, (x3,))
        (g,) = ndl.autograd.grad(Kept.apply(x).sum(), x)
        np.testing.assert_allclose(g.numpy(), np.exp(x3))
        with pytest.raises(RuntimeError, match="saved an intermediate value"):
            ndl.autograd.grad(Kept.apply(x).sum(), x, create_graph=True)

    def test_an_inner_constant_is_freed_after_backward(self):
        class Masked(ArrayFunction):
            @staticmethod
            def forward(ctx, x):
                ctx.mask = x > 0
                return x * ctx.mask

            @staticmethod
            def backward(ctx, dy):
                return dy * ctx.mask

        (x,) = leaves(ndl, (x3,))
        y = Masked.apply(x).sum()
        y.backward()
        assert outcome(lambda: y.backward()) == "RuntimeError"
