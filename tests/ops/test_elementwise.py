"""What all operations on elements share: errors of shape and kind, silence, precision, and masks that keep."""

import warnings

import numpy as np
import pytest
import torch

import ndl
from ndl.ops.elementwise import Keep, keep
from tests.both import refused, same


def test_keep_removes_infinities_that_a_product_would_turn_into_nan():
    x = np.array([1.5, np.inf, np.nan, -np.inf])
    mask = np.array([True, False, False, True])
    np.testing.assert_array_equal(keep(x, mask), [1.5, 0, 0, -np.inf])
    assert keep(np.float32(2), np.bool_(True)) == 2 and keep(np.ones((), np.float16), False) == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.T, lambda x: x[::2], lambda x: x[:, ::-1]])
def test_keep_is_where(dtype, layout, rng=np.random.default_rng(0)):  # noqa: B008
    x, mask = layout(rng.standard_normal((6, 4)).astype(dtype)), layout(rng.random((6, 4)) < 0.5)
    kept = keep(x, mask)
    assert kept.dtype == dtype
    np.testing.assert_array_equal(kept, np.where(mask, x, 0))


def test_keep_is_linear_with_derivatives_of_every_order():
    x = ndl.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = Keep.apply(x * x * x, np.array([True, False, True]))
    (g,) = ndl.autograd.grad(y, x, ndl.ones(3), create_graph=True)
    (h,) = ndl.autograd.grad(g, x, ndl.ones(3), create_graph=True)
    (k,) = ndl.autograd.grad(h, x, ndl.ones(3))
    assert (g.tolist(), h.tolist(), k.tolist()) == ([3, 0, 27], [6, 0, 18], [6, 0, 6])


BINARY = ["add", "mul", "div", "pow", "maximum", "fmin", "atan2", "remainder", "eq", "lt", "logical_and"]


@pytest.mark.parametrize("name", BINARY)
def test_shapes_that_do_not_go_together(name):
    x, y = np.ones((2, 3)), np.ones((2, 1, 4))
    message = refused(lambda T, x, y: getattr(T, name)(x, y), x, y)
    with pytest.raises(RuntimeError) as theirs:
        getattr(torch, name)(torch.ones(2, 3), torch.ones(2, 1, 4))
    assert message.startswith(str(theirs.value)) and "[2, 3] and [2, 1, 4]" in message


@pytest.mark.parametrize("name", ["exp", "neg", "sqrt", "isnan", "sin", "tanh", "abs", "floor"])
@pytest.mark.parametrize("value", [1.0, "text", None, [1.0]])
def test_only_tensors_and_arrays_have_functions_of_one(name, value):
    with pytest.raises(TypeError):
        getattr(torch, name)(value)
    with pytest.raises(TypeError, match=f"must be Tensor, not {type(value).__name__}"):
        getattr(ndl, name)(value)


@pytest.mark.parametrize("value", ["text", None, [1.0, 2.0], {}])
def test_operators_leave_other_objects_to_python(value):
    x = ndl.ones(2)
    for f in (lambda: x + value, lambda: value - x, lambda: x**value, lambda: x < value, lambda: x & value):
        with pytest.raises(TypeError, match="support"):
            f()
    assert (x == value) is False and (x != value) is True


def test_another_class_may_define_the_operation_with_a_tensor():
    class Unit:
        def __radd__(self, other):
            return "radd"

        def __eq__(self, other):
            return "eq"

        __hash__ = None

    assert ndl.ones(2) + Unit() == "radd" and (ndl.ones(2) == Unit()) == "eq"


def test_inf_and_nan_are_results_not_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = ndl.tensor([0.0, -1.0, 1e38, np.inf], requires_grad=True)
        y = x.log() + 1 / x + x * x * 10 - x + x.exp() + x.sqrt() + x % 0 + x**-3
        y.backward(ndl.ones(4))
    assert not np.isfinite(x.grad.numpy()).all()
    assert np.geterr()["divide"] == "warn", "NumPy's own settings are the user's"


def test_float32_is_float32_all_the_way():
    # A constant of float64 somewhere would show in the type of an intermediate gradient.
    x = ndl.tensor([0.3, 0.6], requires_grad=True)
    kinds = []
    y = x
    for f in (ndl.sin, ndl.exp2, ndl.rsqrt, ndl.atan, ndl.deg2rad, ndl.log10, ndl.sinc, ndl.abs, ndl.square):
        y = f(y)
        y.grad_fn.register_prehook(lambda grads: kinds.append(grads[0]._array.dtype))
    (y * 2.5 / 3 - 1).backward(ndl.ones(2))
    assert kinds == [np.dtype(np.float32)] * 9 and x.grad.dtype == ndl.float32


def test_expanded_reversed_and_empty_inputs():
    same(lambda T, x, y: x * y + x / (y * y + 1), np.broadcast_to(np.arange(3.0), (4, 3)), np.ones((4, 3))[:, ::-1])
    same(lambda T, x, y: (x + y).exp() * T.maximum(x, y), np.ones((0, 3)), np.ones((1, 3)))
    same(lambda T, x: (x**2, x.clamp(0, 1), x < 1), np.ones((2, 0)))


def test_a_constant_array_is_no_obstacle_to_second_derivatives():
    x = ndl.tensor([1.0, 2.0], requires_grad=True)
    (g,) = ndl.autograd.grad(x * np.float32([3, 5]) * x, x, ndl.ones(2), create_graph=True)
    (h,) = ndl.autograd.grad(g, x, ndl.ones(2))
    assert (g.tolist(), h.tolist()) == ([6, 20], [6, 10])


def test_numpys_functions_on_tensors_are_ours():
    x = ndl.tensor([1.0, 4.0], requires_grad=True)
    for y in (np.sqrt(x), np.add(x, 1), np.multiply(np.ones(2), x), np.power(x, 2), np.maximum(x, 2), np.clip(x, 2, 3)):
        assert isinstance(y, ndl.Tensor) and y.requires_grad
    for y in (np.float64(2) * x, np.ones(2) - x, np.round(x * 1.7, 1), np.nan_to_num(x), np.sinc(x), np.arctan2(x, x)):
        assert isinstance(y, ndl.Tensor) and y.requires_grad
    assert (
        np.isclose(x, x).tolist() == [True, True] and np.allclose(x, x) is True and np.isnan(x).tolist() == [False] * 2
    )
    array = np.zeros(2)
    array += x.detach()
    assert array.tolist() == [1, 4]
