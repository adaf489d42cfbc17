"""What ``ctx`` offers to a user's Function, and outputs that are views or inputs."""

import numpy as np
import pytest

from tests.both import agree, leaves, refused, same

x3 = np.array([0.5, -1.0, 2.0])
y3 = np.array([1.5, 0.25, -2.0])


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
            class Exp(T.autograd.Function):
                @staticmethod
                def forward(ctx, a):
                    result = a.exp()
                    ctx.save_for_backward(result)
                    return result

                @staticmethod
                def backward(ctx, g):
                    return g * ctx.saved_tensors[0]

            y = Exp.apply(x * 1)
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
