"""What in-place operations promise beside gradients; the programs are in test_inplace_leaves, _results, _views, _index."""

import numpy as np
import pytest
import torch

import ndl
from ndl.ops.table import in_place
from tests.both import agree, leaves, same

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])


def test_what_is_refused_changes_nothing():
    writes = [lambda x: x.add_(1), lambda x: x.zero_(), lambda x: x[0].mul_(2), lambda x: x.__setitem__(0, 1.0)]
    for write in writes:
        (x,) = leaves(ndl, (X,))
        with pytest.raises(RuntimeError):
            write(x)
        assert np.array_equal(x.detach().numpy(), X)


def test_in_place_operations_return_the_tensor_itself():
    y = leaves(ndl, (X,))[0] * 1
    assert y.add_(1) is y and y.mul_(2) is y and y[0].zero_() is not y and y.copy_(y.detach()) is y
    z = y
    z += 1
    assert z is y


def test_memory_stays_where_it_is():
    def program(T):
        (x,) = leaves(T, (X,))
        y = x * 1
        where, v = y.data_ptr(), y[0]
        y.mul_(2).add_(x)
        y[0] = 7.0
        return y.data_ptr() == where, v.tolist()

    assert agree(program) == (True, [7.0, 7.0, 7.0])


def test_the_message_names_the_operation_and_the_versions():
    with pytest.raises(RuntimeError, match=r"MulBackward0 .* at version 2; expected version 1"):
        (x,) = leaves(ndl, (X,))
        y = x * 1
        y.add_(1)
        z = y * y
        y.add_(1)
        z.sum().backward()


def test_what_pytorch_forbids_without_need():
    """PyTorch refuses these though the gradient is well defined: ours is that of the program beside it."""

    def itself(T, x, w):
        y = x * 1
        y.mul_(y)
        return y

    def detached_after_use(T, x, w):
        y = x * w
        z = y * y
        y.detach_()
        return z

    def turned_after_use(T, x, w):
        y = x * w
        z = y * y
        y.t_()
        return z

    plain = [lambda T, x, w: x * x, lambda T, x, w: (x * w) ** 2, lambda T, x, w: (x * w) ** 2]
    for f, g in zip([itself, detached_after_use, turned_after_use], plain):
        with pytest.raises(RuntimeError):
            f(torch, *leaves(torch, (X, W))).sum().backward()
        same(lambda T, x, w, f=f, g=g: (f if T is ndl else g)(T, x, w), X, W)


def test_an_operation_made_of_several_keeps_the_old_values_for_each():
    def program(T, x, w):
        def f(t):
            return (t * w).sin() * t + t * t

        y = x * 1
        if T is ndl:
            assert in_place(f)(y) is y
        else:
            y = f(y)
        return y

    same(program, X, W)


def test_a_view_of_a_base_that_was_detached_loses_its_history():
    (x,) = leaves(ndl, (X,))
    y = x * 2
    v = y[0]
    y.detach_()
    y.mul_(3)
    assert not v.requires_grad and v.tolist() == (6 * X[0]).tolist()


def test_a_view_as_another_type_never_gets_a_history():
    (x,) = leaves(ndl, (X,))
    y = x * 2
    bits = y.view(ndl.int64)
    y.mul_(3)
    assert not bits.requires_grad and bits.is_leaf


def test_window_that_left_its_base():
    x = ndl.ones(4, requires_grad=True) * 1
    v = x[:2]
    x.data = ndl.zeros(4)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="does not lie in the memory"):
        v * 2


def test_many_writes_into_one_buffer():
    def program(T, x, w):
        out = T.zeros(300, 3, dtype=T.float64)
        for i in range(300):
            out[i] = x[i % 2] * i
        return out * T.from_numpy(np.arange(900.0).reshape(300, 3))

    same(program, X, W)
