"""In-place programs on views and their bases, which change one another's history."""

import numpy as np

from tests.both import Programs

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])

programs = Programs(X, W)


# -- views -----------------------------------------------------------------------------------------------------


@programs.allowed
def view_written_then_base_used(T, x, w):
    y = x * 2
    y[0].mul_(w[0])
    return y * w


@programs.allowed
def view_written_then_view_used(T, x, w):
    y = x * 2
    v = y[0]
    v.mul_(w[0])
    return v * v


@programs.allowed
def base_written_then_view_used(T, x, w):
    y = x * 2
    v = y[0]
    y.mul_(w)
    return v * v


@programs.allowed
def two_views_of_one_base(T, x, w):
    y = x * 2
    row, column = y[0], y[:, 0]
    row.mul_(w[0])
    column.add_(3 * w[:, 1])
    row.mul_(2)
    return row * 1, column * 1, y * w


@programs.allowed
def view_of_a_view(T, x, w):
    y = x * 2
    v = y.t()[1:]
    u = v[:, 0]
    u.mul_(w[0, 1:])
    v.add_(1)
    return y * w, v * 2, u * 3


@programs.allowed
def view_written_then_base_then_view_again(T, x, w):
    y = x * 2
    v = y.view(-1)
    v[1:3].mul_(5)
    y[1] = w[0]
    v[0] = w[1, 1]
    y.mul_(w)
    return y, v * 2


@programs.forbidden
def base_saved_then_view_written(T, x, w):
    y = x * 2
    z = y * y
    y[0].mul_(2)
    return z


@programs.forbidden
def view_saved_then_base_written(T, x, w):
    y = x * 2
    v = y[0]
    z = v * v
    y.mul_(2)
    return z


@programs.forbidden
def view_saved_then_another_view_written(T, x, w):
    y = x * 2
    z = y[0] * y[0]
    y[1].mul_(2)  # PyTorch counts writes for all of the memory, and so do we
    return z


@programs.allowed
def view_of_a_constant_starts_to_depend(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    v = y[:, 1:]
    v.add_(x[:, 1:])
    return y * w, v * v


@programs.allowed
def expanded_view_of_a_base_that_is_written(T, x, w):
    y = x[0] * 1
    v = y.expand(4, 3)
    y.mul_(w[0])
    return v * T.from_numpy(np.arange(12.0).reshape(4, 3))


@programs.allowed
def overlapping_windows_of_a_base_that_is_written(T, x, w):
    y = x * 1
    v = y.unfold(1, 2, 1)
    y.mul_(w)
    return v * T.from_numpy(np.arange(8.0).reshape(2, 2, 2))


@programs.allowed
def infinite_gradients_of_other_elements(T, x, w):
    y = x * 1
    y[0] = w[0]
    y[1] = (y[1] - y[1].detach()).abs().sqrt()  # 0, with an infinite slope
    return y[0] * 1


@programs.allowed
def base_that_is_not_contiguous(T, x, w):
    y = (x * 1).t()
    v = y[1:]
    v.mul_(w.t()[1:])
    y[0] = 2 * w[:, 0]
    return y * w.t(), v * 2


@programs.allowed
def base_with_gaps(T, x, w):
    y = T.from_numpy(np.zeros((2, 6))[:, ::2])
    v = y[:, 1:]
    v.add_(x[:, 1:])
    y.mul_(w)
    return v * 2, y * 3


@programs.allowed
def diagonal(T, x, w):
    y = x * 1
    y.diagonal().mul_(2)
    y[:, :2].diagonal().copy_(w[0, :2])
    return y * w


@programs.allowed
def empty_view(T, x, w):
    y = x * 1
    v = y[:0]
    v.mul_(2)
    return y * w, v


@programs.allowed
def view_written_without_recording(T, x, w):
    y = x * 2
    v = y[0]
    with T.no_grad():
        v.mul_(3)
    return y * w, v * v


@programs.allowed
def view_and_write_without_recording(T, x, w):
    y = x * 2
    with T.no_grad():
        y[0].mul_(3)
    return y * w


@programs.forbidden
def view_made_without_recording_then_written(T, x, w):
    y = x * 2
    with T.no_grad():
        v = y[0]
    v.mul_(3)


@programs.forbidden
def view_made_without_recording_then_base_written(T, x, w):
    y = x * 2
    with T.no_grad():
        v = y[0]
    y.mul_(3)
    return v * 1


@programs.forbidden
def view_of_a_constant_made_without_recording_then_made_to_depend(T, x, w):
    with T.no_grad():
        v = T.zeros(2, 3, dtype=T.float64)[0]
    v.mul_(x[0])


@programs.forbidden
def view_of_a_constant_made_without_recording_then_copied_into(T, x, w):
    with T.no_grad():
        v = T.zeros(2, 3, dtype=T.float64)[0]
    v.copy_(x[0])


@programs.forbidden
def view_cannot_be_detached(T, x, w):
    (x * 2)[0].detach_()


@programs.allowed
def detached_base_and_its_view(T, x, w):
    y = x * 2
    v = y[0]
    y.detach_()
    y.mul_(w)
    return y, v * 1


@programs.allowed
def constant_view_whose_base_asks_for_gradients_later(T, x, w):
    seen = []
    for look in (False, True):
        y = x.detach() * 1
        v = y[0]
        v.mul_(2)
        if look:
            assert v.grad_fn is None
        y.requires_grad_()
        seen += T.autograd.grad((v * w[0]).sum(), y)
    return seen


# -- parts of a split ------------------------------------------------------------------------------------------


@programs.allowed
def split_and_left_alone(T, x, w):
    a, b = (x * 1).split(1)
    c, d, e = (x * 2).unbind(1)
    return a * b, c * d * e


@programs.forbidden
def part_of_a_split_written(T, x, w):
    a, _ = (x * 1).split(1)
    a.mul_(2)


@programs.forbidden
def part_of_a_chunk_written(T, x, w):
    a, _ = (x * 1).chunk(2)
    a.mul_(2)


@programs.forbidden
def part_of_an_unbound_tensor_written(T, x, w):
    a, _ = (x * 1).unbind()
    a.mul_(2)


@programs.forbidden
def view_of_a_part_written(T, x, w):
    a, _ = (x * 1).split(1)
    a[:, 0].mul_(2)


@programs.forbidden
def split_then_base_written(T, x, w):
    y = x * 1
    a, _ = y.split(1)
    y.mul_(2)
    return a * 1


@programs.allowed
def split_then_base_written_and_only_base_used(T, x, w):
    y = x * 1
    y.split(1)
    y.mul_(2)
    return y


@programs.allowed
def part_of_a_constant_written(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    a, _ = y.split(1)
    a.add_(1)
    return y * x


test_allowed, test_forbidden = programs.tests()
