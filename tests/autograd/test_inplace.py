"""In-place programs: what PyTorch allows gives the same gradients, what it forbids raises in both libraries.

A program gets two leaves, x and w, both (2, 3). The tests that run them all are at the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import ndl
from ndl.ops.table import in_place
from tests.both import agree, leaves, refused, same

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])
MASK = np.array([[True, False, False], [False, True, True]])

ALLOWED: list[Callable] = []
FORBIDDEN: list[Callable] = []


def allowed(f: Callable) -> Callable:
    """Both libraries run it, and give the same values and gradients."""
    ALLOWED.append(f)
    return f


def forbidden(f: Callable) -> Callable:
    """Both libraries raise RuntimeError, in the program or in its backward."""
    FORBIDDEN.append(f)
    return f


# -- leaves, and views of leaves ---------------------------------------------------------------------------------


@forbidden
def add_to_a_leaf(T, x, w):
    x.add_(1)


@forbidden
def operator_on_a_leaf(T, x, w):
    x += 1


@forbidden
def write_an_element_of_a_leaf(T, x, w):
    x[0, 0] = 1.0


@forbidden
def zero_a_leaf(T, x, w):
    x.zero_()


@forbidden
def masked_fill_of_a_leaf(T, x, w):
    x.masked_fill_(T.from_numpy(MASK), 0)


@forbidden
def view_of_a_leaf(T, x, w):
    x[0].mul_(2)


@forbidden
def view_of_a_view_of_a_leaf(T, x, w):
    x.t()[0][1:].mul_(2)


@forbidden
def flat_view_of_a_leaf(T, x, w):
    x.view(-1)[2] = 0.0


@forbidden
def copy_into_a_leaf(T, x, w):
    x.copy_(w)


@allowed
def leaf_without_recording(T, x, w):
    with T.no_grad():
        x.mul_(2)
        x[0] = 3.0
        x[:, 1].add_(1)
    return x * w


@forbidden
def leaf_without_recording_after_it_was_saved(T, x, w):
    y = x * x
    with T.no_grad():
        x.mul_(2)
    return y


@allowed
def view_of_a_leaf_then_the_leaf_without_recording(T, x, w):
    v = x[0]
    with T.no_grad():
        x.mul_(2)
    return v * v, v * w[0]


@allowed
def view_of_a_leaf_without_recording(T, x, w):
    v = x[0]
    with T.no_grad():
        v.mul_(2)
    return v * v, x * w


@allowed
def data_of_a_leaf(T, x, w):
    y = x * w
    x.data.add_(1)
    return y, x * x


@allowed
def leaf_that_asks_for_gradients_late(T, x, w):
    plain = x.detach().clone()
    plain.mul_(2)
    plain.requires_grad_()
    return plain * x


@forbidden
def view_made_before_its_base_became_a_leaf_with_gradients(T, x, w):
    base = T.zeros(4, dtype=T.float64)
    v = base[:2]
    base.requires_grad_()
    v.mul_(2)


@forbidden
def a_view_that_is_a_leaf_itself(T, x, w):
    v = T.zeros(4, dtype=T.float64)[:2]
    v.requires_grad_()
    v.mul_(2)


# -- results of operations ----------------------------------------------------------------------------------------


@allowed
def each_operator(T, x, w):
    y = x * 1
    y += w
    y -= 2 * w
    y *= w
    y /= w * w + 1
    y **= 2
    return y


@allowed
def each_method(T, x, w):
    y = x * 1
    y.add_(w, alpha=2).sub_(w).mul_(w).div_(w * w + 1).neg_()
    y.pow_(3).clamp_(-0.5, 0.5)
    y.lerp_(w, 0.25).addcmul_(x, w).addcdiv_(x, w * w + 1, value=0.5)
    y.tanh_()
    return y


@allowed
def old_values_that_backward_needs(T, x, w):
    y = x * 1
    y.mul_(w)
    y.mul_(w)
    y.sin_()
    y.mul_(x)
    return y


@allowed
def square_in_place(T, x, w):
    y = x * 1
    y.square_()
    y.pow_(2)
    y.abs_()
    y.sqrt_()
    return y


@forbidden
def result_that_backward_needs(T, x, w):
    y = x * 1
    y.exp_()
    y.add_(1)
    return y


@forbidden
def sigmoid_then_written(T, x, w):
    y = T.sigmoid(x)
    y.mul_(2)
    return y


@allowed
def sine_then_written(T, x, w):
    y = T.sin(x)
    y.mul_(2)
    return y


@forbidden
def operand_written_after_it_was_saved(T, x, w):
    y = x * 1
    z = y * w
    y.add_(1)
    return z


@allowed
def operand_written_that_nobody_saved(T, x, w):
    y = x * 1
    z = y + w
    y.add_(1)
    return z, y


@allowed
def operand_written_that_was_saved_for_a_constant_only(T, x, w):
    y = x.detach() * 2
    z = y + w
    u = y * 3
    y.zero_()
    return z, u + x


@forbidden
def operand_of_a_product_written(T, x, w):
    y = x * 1
    z = y @ w.t()
    y.mul_(2)
    return z


@allowed
def shortcut(T, x, w):
    out = (x @ w.t()) @ w
    out += x
    return out.tanh()


@forbidden
def shortcut_that_was_saved(T, x, w):
    out = x.exp()
    out += x
    return out


@allowed
def written_and_used_again_and_again(T, x, w):
    y = x * 1
    total = 0
    for _ in range(3):
        y.mul_(w)
        total = total + y.sum()
    return total, y


@allowed
def a_tensor_plus_itself(T, x, w):
    y = x * 1
    y.add_(y)
    y += y
    return y


@allowed
def zero_and_fill(T, x, w):
    y, z, u = x * 1, x * 2, x * 3
    y.zero_()
    z.fill_(3)
    u.fill_(w.sum())
    return y + w, z * w, u


@allowed
def constants_copied_over(T, x, w):
    y = x * 1
    y.copy_(w.detach())
    return y * w


@allowed
def masked_fill(T, x, w):
    y = x * 2
    y.masked_fill_(T.from_numpy(MASK), -1.0)
    return y * w, y * y


@allowed
def masked_fill_with_a_tensor(T, x, w):
    y = x * 2
    y.masked_fill_(T.from_numpy(MASK), w.sum())
    return y * w


@allowed
def copy_between_those_that_do_and_do_not_ask_for_gradients(T, x, w):
    plain, y, z = T.zeros(2, 3, dtype=T.float64), x * 2, x * 3
    plain.copy_(x)
    y.copy_(T.ones(3, dtype=T.float64))
    z.copy_(w[0])
    return plain * plain, y * w, z * w


@allowed
def copy_from_another_type(T, x, w):
    y = T.zeros(2, 3)
    y.copy_(x)
    return y.double() * w


@allowed
def a_constant_that_starts_to_depend(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    y.add_(x)
    y.mul_(w)
    return y


@allowed
def detached_with_a_history_of_its_own(T, x, w):
    y = x * 1
    d = y.detach()
    d.mul_(w)
    return d * 1, y * w


@forbidden
def detached_then_written_after_the_original_was_saved(T, x, w):
    y = x * 1
    z = y * y
    y.detach().mul_(2)
    return z


@allowed
def without_recording_the_history_stays(T, x, w):
    y = x * 2
    with T.no_grad():
        y.mul_(5)
        y[0] = 1.0
    return y * w


@allowed
def detach_in_place_before_it_is_used(T, x, w):
    y = x * 2
    y.detach_()
    y.mul_(w)
    return y


@allowed
def shape_changed_in_place(T, x, w):
    y = x * 1
    y.t_()
    y.unsqueeze_(0)
    z = y * w.t()
    z.squeeze_()
    z.mul_(2)
    return z, y


@forbidden
def too_small_for_the_result(T, x, w):
    (x[0] * 1).add_(w)


@forbidden
def of_a_type_too_small_for_the_result(T, x, w):
    T.ones(2, 3, dtype=T.int64).add_(0.5)


@forbidden
def float_into_bool(T, x, w):
    (x.detach() > 0).mul_(2.0)


@forbidden
def expanded(T, x, w):
    (x[0] * 1).expand(4, 3).add_(1)


@allowed
def expanded_by_ones_only(T, x, w):
    y = (x * 1).expand(1, 2, 3)
    y.add_(w)
    return y


# -- views ---------------------------------------------------------------------------------------------------------


@allowed
def view_written_then_base_used(T, x, w):
    y = x * 2
    y[0].mul_(w[0])
    return y * w


@allowed
def view_written_then_view_used(T, x, w):
    y = x * 2
    v = y[0]
    v.mul_(w[0])
    return v * v


@allowed
def base_written_then_view_used(T, x, w):
    y = x * 2
    v = y[0]
    y.mul_(w)
    return v * v


@allowed
def two_views_of_one_base(T, x, w):
    y = x * 2
    row, column = y[0], y[:, 0]
    row.mul_(w[0])
    column.add_(3 * w[:, 1])
    row.mul_(2)
    return row * 1, column * 1, y * w


@allowed
def view_of_a_view(T, x, w):
    y = x * 2
    v = y.t()[1:]
    u = v[:, 0]
    u.mul_(w[0, 1:])
    v.add_(1)
    return y * w, v * 2, u * 3


@allowed
def view_written_then_base_then_view_again(T, x, w):
    y = x * 2
    v = y.view(-1)
    v[1:3].mul_(5)
    y[1] = w[0]
    v[0] = w[1, 1]
    y.mul_(w)
    return y, v * 2


@forbidden
def base_saved_then_view_written(T, x, w):
    y = x * 2
    z = y * y
    y[0].mul_(2)
    return z


@forbidden
def view_saved_then_base_written(T, x, w):
    y = x * 2
    v = y[0]
    z = v * v
    y.mul_(2)
    return z


@forbidden
def view_saved_then_another_view_written(T, x, w):
    y = x * 2
    z = y[0] * y[0]
    y[1].mul_(2)  # PyTorch counts writes for all of the memory, and so do we
    return z


@allowed
def view_of_a_constant_starts_to_depend(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    v = y[:, 1:]
    v.add_(x[:, 1:])
    return y * w, v * v


@allowed
def expanded_view_of_a_base_that_is_written(T, x, w):
    y = x[0] * 1
    v = y.expand(4, 3)
    y.mul_(w[0])
    return v * T.from_numpy(np.arange(12.0).reshape(4, 3))


@allowed
def overlapping_windows_of_a_base_that_is_written(T, x, w):
    y = x * 1
    v = y.unfold(1, 2, 1)
    y.mul_(w)
    return v * T.from_numpy(np.arange(8.0).reshape(2, 2, 2))


@allowed
def infinite_gradients_of_other_elements(T, x, w):
    y = x * 1
    y[0] = w[0]
    y[1] = (y[1] - y[1].detach()).abs().sqrt()  # 0, with an infinite slope
    return y[0] * 1


@allowed
def base_that_is_not_contiguous(T, x, w):
    y = (x * 1).t()
    v = y[1:]
    v.mul_(w.t()[1:])
    y[0] = 2 * w[:, 0]
    return y * w.t(), v * 2


@allowed
def base_with_gaps(T, x, w):
    y = T.from_numpy(np.zeros((2, 6))[:, ::2])
    v = y[:, 1:]
    v.add_(x[:, 1:])
    y.mul_(w)
    return v * 2, y * 3


@allowed
def diagonal(T, x, w):
    y = x * 1
    y.diagonal().mul_(2)
    y[:, :2].diagonal().copy_(w[0, :2])
    return y * w


@allowed
def empty_view(T, x, w):
    y = x * 1
    v = y[:0]
    v.mul_(2)
    return y * w, v


@allowed
def view_written_without_recording(T, x, w):
    y = x * 2
    v = y[0]
    with T.no_grad():
        v.mul_(3)
    return y * w, v * v


@allowed
def view_and_write_without_recording(T, x, w):
    y = x * 2
    with T.no_grad():
        y[0].mul_(3)
    return y * w


@forbidden
def view_made_without_recording_then_written(T, x, w):
    y = x * 2
    with T.no_grad():
        v = y[0]
    v.mul_(3)


@forbidden
def view_made_without_recording_then_base_written(T, x, w):
    y = x * 2
    with T.no_grad():
        v = y[0]
    y.mul_(3)
    return v * 1


@forbidden
def view_of_a_constant_made_without_recording_then_made_to_depend(T, x, w):
    with T.no_grad():
        v = T.zeros(2, 3, dtype=T.float64)[0]
    v.mul_(x[0])


@forbidden
def view_cannot_be_detached(T, x, w):
    (x * 2)[0].detach_()


@allowed
def detached_base_and_its_view(T, x, w):
    y = x * 2
    v = y[0]
    y.detach_()
    y.mul_(w)
    return y, v * 1


# -- parts of a split ----------------------------------------------------------------------------------------------


@allowed
def split_and_left_alone(T, x, w):
    a, b = (x * 1).split(1)
    c, d, e = (x * 2).unbind(1)
    return a * b, c * d * e


@forbidden
def part_of_a_split_written(T, x, w):
    a, _ = (x * 1).split(1)
    a.mul_(2)


@forbidden
def part_of_a_chunk_written(T, x, w):
    a, _ = (x * 1).chunk(2)
    a.mul_(2)


@forbidden
def part_of_an_unbound_tensor_written(T, x, w):
    a, _ = (x * 1).unbind()
    a.mul_(2)


@forbidden
def view_of_a_part_written(T, x, w):
    a, _ = (x * 1).split(1)
    a[:, 0].mul_(2)


@forbidden
def split_then_base_written(T, x, w):
    y = x * 1
    a, _ = y.split(1)
    y.mul_(2)
    return a * 1


@allowed
def split_then_base_written_and_only_base_used(T, x, w):
    y = x * 1
    y.split(1)
    y.mul_(2)
    return y


@allowed
def part_of_a_constant_written(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    a, _ = y.split(1)
    a.add_(1)
    return y * x


# -- x[index] = value ----------------------------------------------------------------------------------------------


@allowed
def assign_a_number(T, x, w):
    y = x * 2
    y[0, 1] = 7.0
    y[1] = 3
    return y * w


@allowed
def assign_a_tensor(T, x, w):
    y = x * 2
    y[0] = w[1]
    y[:, 1] = w[:, 0] * 2
    return y * y


@allowed
def assign_with_broadcasting(T, x, w):
    y = x * 2
    y[:] = w[0]
    y[..., None][0] = w[1, 1]
    return y * w


@allowed
def assign_to_a_constant(T, x, w):
    y = T.zeros(4, 3, dtype=T.float64)
    for i in range(2):
        y[i] = x[i] * w[i]
        y[i + 2] = y[i] * 2
    return y


@allowed
def assign_at_a_mask(T, x, w):
    y = x * 2
    y[T.from_numpy(MASK)] = 5.0
    y[~T.from_numpy(MASK)] = w.sum()
    return y * w


@allowed
def assign_at_a_mask_from_a_tensor(T, x, w):
    y = x * 2
    y[T.from_numpy(MASK)] = w[0]
    return y * w


@allowed
def assign_at_indices(T, x, w):
    y = x * 2
    y[[1, 0]] = w
    y[:, [0, 2]] = w[:, :2]
    y[T.tensor([0, 1]), T.tensor([1, 2])] = w[0, :2]
    return y * w


@allowed
def add_to_slices(T, x, w):
    y = x * 2
    y[0] += w[0]
    y[:, 1:] *= w[:, 1:]
    y[1, 0] -= 3
    y[T.from_numpy(MASK)] /= 2
    return y * y


@allowed
def assign_to_a_view(T, x, w):
    y = x * 2
    v = y.t()
    v[0] = w[:, 0]
    v[[2]] = w[:, 1]
    return y * w, v * 2


@allowed
def assign_a_part_of_itself(T, x, w):
    y = x * 2
    y[0] = y[1].clone()
    y[:, 0] = y[:, 2] + w[:, 0]
    y[1] = y[0]
    return y * w


@forbidden
def assign_a_part_that_was_saved(T, x, w):
    y = x * 2
    y[:, 0] = y[:, 2] * w[:, 0]
    return y


@forbidden
def assign_after_it_was_saved(T, x, w):
    y = x * 2
    z = y * y
    y[0, 0] = 1.0
    return z


@forbidden
def assign_a_value_that_does_not_fit(T, x, w):
    (x * 2)[0] = w


@allowed
def indexed_writes(T, x, w):
    y, i = x * 2, T.tensor([1, 0, 1])
    y.index_add_(1, T.tensor([0, 0]), w[:, :2])
    y.index_fill_(0, T.tensor([1]), 2.5)
    y.scatter_(0, i[None], w[:1])
    y.scatter_add_(1, T.tensor([[0, 0], [1, 1]]), w[:, 1:])
    y.index_copy_(0, T.tensor([1]), w[:1] * 3)
    return y * w


# -- loops as people write them ------------------------------------------------------------------------------------


@allowed
def recurrence_into_a_buffer(T, x, w):
    out = T.zeros(4, 2, 3, dtype=T.float64)
    h = x
    for t in range(4):
        h = (h * w).tanh()
        out[t] = h
    return out, out[-1] * 2


@forbidden
def recurrence_that_reads_its_buffer(T, x, w):
    out = T.zeros(4, 2, 3, dtype=T.float64)
    out[0] = x
    for t in range(1, 4):
        out[t] = (out[t - 1] * w).tanh()  # the product keeps out[t - 1], whose memory is written next
    return out


@allowed
def normalise_in_place(T, x, w):
    y = x @ w.t()
    y -= y.mean(0, keepdim=True)
    y /= (y * y).mean(0, keepdim=True).detach().sqrt() + 1
    return y


@allowed
def a_training_step(T, x, w):
    for _ in range(3):
        loss = ((x * w).tanh() ** 2).sum()
        loss.backward()
        with T.no_grad():
            for p in (x, w):
                p -= 0.1 * p.grad
                p.grad.zero_()
    return x * w


# -- the tests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ALLOWED, ids=lambda f: f.__name__)
def test_allowed(program):
    same(program, X, W)


@pytest.mark.parametrize("program", FORBIDDEN, ids=lambda f: f.__name__)
def test_forbidden(program):
    refused(program, X, W)


def test_what_is_refused_changes_nothing():
    for program in FORBIDDEN[:9]:
        x, w = leaves(ndl, (X, W))
        with pytest.raises(RuntimeError):
            program(ndl, x, w)
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
