"""ArrayFunction, the house's own kind: NumPy arrays in, NumPy arrays out."""

import numpy as np
import pytest

import ndl
from ndl.autograd import ArrayFunction
from tests.both import leaves, outcome

x3 = np.array([0.5, -1.0, 2.0])


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
