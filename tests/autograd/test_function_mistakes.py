"""Mistakes in a user's Function: what PyTorch forgives is forgiven, the rest raises."""

import numpy as np
import pytest

from tests.both import agree, leaves, refused, same

x3 = np.array([0.5, -1.0, 2.0])


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
