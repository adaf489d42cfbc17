"""gradcheck passes right gradients; for wrong ones it names the element, both numbers and their ratio."""

import inspect
import re

import numpy as np
import pytest
import torch

import ndl
from ndl.autograd import ArrayFunction
from ndl.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck


def leaf(*shape, dtype=np.float64):
    values = np.random.default_rng(0).standard_normal(shape)
    return ndl.from_numpy(np.asarray(values, dtype)).requires_grad_()


class Square(ArrayFunction):
    """y = x², with a backward that is right, or wrong in the way its subclass says."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return 2 * x * dy


class HalfGradient(Square):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return x * dy


class NoGradient(Square):
    @staticmethod
    def backward(ctx, dy):
        return None


class OneWrongElement(Square):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        dx = 2 * x * dy
        dx[1, 2] += 0.5 * dy[1, 2]
        return dx


class Transposed(ArrayFunction):
    """y = x Wᵀ with dx = dy Wᵀ, the classic slip; W is constant."""

    W = np.array([[1.0, 2.0], [3.0, -4.0]])

    @staticmethod
    def forward(ctx, x):
        return x @ Transposed.W.T

    @staticmethod
    def backward(ctx, dy):
        return dy @ Transposed.W.T


class Drifting(Square):
    """Its backward gives another gradient each time."""

    calls = 0

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        Drifting.calls += 1
        return 2 * x * dy * (1 + 1e-9 * Drifting.calls)


class TwoOutputs(ArrayFunction):
    """y, z = x², x³; its backward cannot do without both gradients."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.set_materialize_grads(False)
        return x * x, x * x * x

    @staticmethod
    def backward(ctx, dy, dz):
        (x,) = ctx.saved_tensors
        return 2 * x * dy + 3 * x * x * dz


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_gradients_pass(fast_mode):
    x, y = leaf(2, 3), leaf(3)
    assert gradcheck(Square.apply, x, fast_mode=fast_mode)
    assert gradcheck(lambda x, y: (x * y, x + y), (x, y), fast_mode=fast_mode)
    assert gradgradcheck(lambda x, y: Square.apply(x) * y, (x, y), fast_mode=fast_mode)
    assert gradcheck(lambda x: x, (x,), fast_mode=fast_mode)
    assert gradcheck(Square.apply, leaf(), fast_mode=fast_mode)
    assert gradcheck(Square.apply, leaf(0, 3), fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("wrong", [HalfGradient, NoGradient, OneWrongElement, Transposed])
def test_wrong_gradients_are_found(wrong, fast_mode):
    x = leaf(2, 2) if wrong is Transposed else leaf(2, 3)
    with pytest.raises(GradcheckError):
        gradcheck(wrong.apply, (x,), fast_mode=fast_mode)
    assert gradcheck(wrong.apply, (x,), fast_mode=fast_mode, raise_exception=False) is False


def test_the_message_names_the_input_the_element_and_both_numbers():
    one, x = leaf(1), leaf(2, 3)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a, x: (a * 1, OneWrongElement.apply(x)), (one, x))
    worst = str(caught.value).splitlines()[1]
    number = r"(-?\d+\.?\d*(?:e-?\d+)?)"
    found = re.fullmatch(
        rf"  ∂ output 1\[1, 2\] / ∂ input 1\[1, 2\]: numerical {number}, analytical {number}, "
        rf"difference {number}, ratio {number}",
        worst,
    )
    assert found, worst
    numerical, analytical, difference, ratio = map(float, found.groups())
    right = 2 * float(x.detach().numpy()[1, 2])
    np.testing.assert_allclose([numerical, analytical], [right, right + 0.5], rtol=1e-6)
    np.testing.assert_allclose([difference, ratio], [0.5, (right + 0.5) / right], rtol=1e-2)
    assert "1 of 36 elements" in str(caught.value)


@pytest.mark.parametrize(
    "wrong, note",
    [
        (HalfGradient, "every analytical element is 0.5 times"),
        (NoGradient, "a term or a whole gradient is missing"),
        (Transposed, "is the transpose of"),
    ],
)
def test_the_message_guesses_the_mistake(wrong, note):
    with pytest.raises(GradcheckError, match=note):
        gradcheck(wrong.apply, (leaf(2, 2),))


def test_a_gradient_of_nan_is_wrong():
    class Nan(Square):
        @staticmethod
        def backward(ctx, dy):
            return dy * np.nan

    with pytest.raises(GradcheckError, match="nan"):
        gradcheck(Nan.apply, (leaf(2),))


def test_a_second_derivative_that_is_wrong_is_found():
    class WrongTwice(Square):
        """The first derivative is right; 2x as a number, whose own derivative is lost."""

        @staticmethod
        def forward(ctx, x):
            ctx.twice = 2 * x
            return x * x

        @staticmethod
        def backward(ctx, dy):
            return ctx.twice * dy

    assert gradcheck(WrongTwice.apply, (leaf(3),))
    with pytest.raises(GradcheckError, match="output 0 with respect to input 0"):
        gradgradcheck(WrongTwice.apply, (leaf(3),))


def test_a_lost_gradient_is_found():
    x = leaf(3)
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: Square.apply(x).detach(), (x,))
    assert gradcheck(lambda x: ndl.ones(3), (x,))


def test_a_backward_that_gives_two_answers_is_found():
    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(Drifting.apply, (leaf(3),))
    assert gradcheck(Drifting.apply, (leaf(3),), nondet_tol=1e-6)


def test_a_backward_that_needs_all_outputs_to_be_used_is_found():
    with pytest.raises(TypeError):
        gradcheck(TwoOutputs.apply, (leaf(3),))


def test_inputs_are_left_as_they_were():
    x = leaf(2, 3)
    before = x.detach().numpy().copy()
    gradcheck(Square.apply, (x,))
    gradcheck(Square.apply, (x,), fast_mode=True)
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: Square.apply(x) * (1 / float(x.detach().numpy()[0, 0] == before[0, 0])), (x,))
    assert np.array_equal(before, x.detach().numpy())
    assert x.grad is None


def test_parameters_of_a_closure_are_checked_where_they_lie():
    w = leaf(3)
    assert gradcheck(lambda x, _: x * w, (leaf(3), w))
    with pytest.raises(GradcheckError, match="with respect to input 1"):
        gradcheck(lambda x, _: x * w.detach(), (leaf(3), w))


def test_integers_and_other_arguments_pass_through():
    n = ndl.tensor([1, 2, 3])
    assert gradcheck(lambda x, n, k: x * n * k, (leaf(3), n, 2.5))


def test_bad_input():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(Square.apply, (leaf(3).detach(),))
    with pytest.raises(RuntimeError, match="1th input has a dimension with stride 0"):
        wide = np.broadcast_to(np.ones(3), (2, 3))
        gradcheck(lambda x, y: x * y, (leaf(3), ndl.Tensor._wrap(wide).requires_grad_()))
    with pytest.warns(UserWarning, match="Input #0 .* not a double precision"):
        gradcheck(Square.apply, leaf(2, dtype=np.float32), eps=1e-2, atol=1e-2)
    for option in ("check_forward_ad", "check_batched_grad", "check_batched_forward_grad"):
        with pytest.raises(NotImplementedError, match=option):
            gradcheck(Square.apply, (leaf(3),), **{option: True})
    with pytest.raises(NotImplementedError, match="check_fwd_over_rev"):
        gradgradcheck(Square.apply, (leaf(3),), check_fwd_over_rev=True)
    with pytest.raises(AssertionError, match="nothing to check"):
        gradcheck(Square.apply, (leaf(3),), check_backward_ad=False)


def test_given_and_non_contiguous_grad_outputs():
    x = leaf(2, 3)
    assert gradgradcheck(Square.apply, (x,), grad_outputs=leaf(2, 3))
    assert gradgradcheck(Square.apply, (x,), gen_non_contig_grad_outputs=True)


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_signature_is_pytorchs(name):
    ours = inspect.signature({"gradcheck": gradcheck, "gradgradcheck": gradgradcheck}[name])
    theirs = inspect.signature(getattr(torch.autograd, name))
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]
