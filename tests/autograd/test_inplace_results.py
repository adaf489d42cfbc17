"""In-place programs on results of operations: who needs the old values, and who keeps the new ones."""

import numpy as np

from tests.both import Programs

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])
MASK = np.array([[True, False, False], [False, True, True]])

programs = Programs(X, W)


@programs.allowed
def each_operator(T, x, w):
    y = x * 1
    y += w
    y -= 2 * w
    y *= w
    y /= w * w + 1
    y **= 2
    return y


@programs.allowed
def each_method(T, x, w):
    y = x * 1
    y.add_(w, alpha=2).sub_(w).mul_(w).div_(w * w + 1).neg_()
    y.pow_(3).clamp_(-0.5, 0.5)
    y.lerp_(w, 0.25).addcmul_(x, w).addcdiv_(x, w * w + 1, value=0.5)
    y.tanh_()
    return y


@programs.allowed
def old_values_that_backward_needs(T, x, w):
    y = x * 1
    y.mul_(w)
    y.mul_(w)
    y.sin_()
    y.mul_(x)
    return y


@programs.allowed
def square_in_place(T, x, w):
    y = x * 1
    y.square_()
    y.pow_(2)
    y.abs_()
    y.sqrt_()
    return y


@programs.forbidden
def result_that_backward_needs(T, x, w):
    y = x * 1
    y.exp_()
    y.add_(1)
    return y


@programs.forbidden
def sigmoid_then_written(T, x, w):
    y = T.sigmoid(x)
    y.mul_(2)
    return y


@programs.allowed
def sine_then_written(T, x, w):
    y = T.sin(x)
    y.mul_(2)
    return y


@programs.forbidden
def operand_written_after_it_was_saved(T, x, w):
    y = x * 1
    z = y * w
    y.add_(1)
    return z


@programs.allowed
def operand_written_that_nobody_saved(T, x, w):
    y = x * 1
    z = y + w
    y.add_(1)
    return z, y


@programs.allowed
def operand_written_that_was_saved_for_a_constant_only(T, x, w):
    y = x.detach() * 2
    z = y + w
    u = y * 3
    y.zero_()
    return z, u + x


@programs.forbidden
def operand_of_a_product_written(T, x, w):
    y = x * 1
    z = y @ w.t()
    y.mul_(2)
    return z


@programs.allowed
def shortcut(T, x, w):
    out = (x @ w.t()) @ w
    out += x
    return out.tanh()


@programs.forbidden
def shortcut_that_was_saved(T, x, w):
    out = x.exp()
    out += x
    return out


@programs.allowed
def written_and_used_again_and_again(T, x, w):
    y = x * 1
    total = 0
    for _ in range(3):
        y.mul_(w)
        total = total + y.sum()
    return total, y


@programs.allowed
def a_tensor_plus_itself(T, x, w):
    y = x * 1
    y.add_(y)
    y += y
    return y


@programs.allowed
def zero_and_fill(T, x, w):
    y, z, u = x * 1, x * 2, x * 3
    y.zero_()
    z.fill_(3)
    u.fill_(w.sum())
    return y + w, z * w, u


@programs.allowed
def constants_copied_over(T, x, w):
    y = x * 1
    y.copy_(w.detach())
    return y * w


@programs.allowed
def masked_fill(T, x, w):
    y = x * 2
    y.masked_fill_(T.from_numpy(MASK), -1.0)
    return y * w, y * y


@programs.allowed
def masked_fill_with_a_tensor(T, x, w):
    y = x * 2
    y.masked_fill_(T.from_numpy(MASK), w.sum())
    return y * w


@programs.allowed
def copy_between_those_that_do_and_do_not_ask_for_gradients(T, x, w):
    plain, y, z = T.zeros(2, 3, dtype=T.float64), x * 2, x * 3
    plain.copy_(x)
    y.copy_(T.ones(3, dtype=T.float64))
    z.copy_(w[0])
    return plain * plain, y * w, z * w


@programs.allowed
def results_without_a_gradient(T, x, w):
    y, z, u = x * 1, x * 2, (x * 3)[0]
    y.ge_(w.detach())
    z.floor_()
    u.sign_()
    return y * w, z * w, u * w[0]


@programs.allowed
def random_numbers(T, x, w):
    y, v = x * 1, (x * 2)[0]
    y.normal_()
    v.uniform_()
    return (y - y.detach()) * w, (v - v.detach()) * w[0]


@programs.allowed
def copy_from_another_type(T, x, w):
    y = T.zeros(2, 3)
    y.copy_(x)
    return y.double() * w


@programs.allowed
def a_constant_that_starts_to_depend(T, x, w):
    y = T.zeros(2, 3, dtype=T.float64)
    y.add_(x)
    y.mul_(w)
    return y


@programs.allowed
def detached_with_a_history_of_its_own(T, x, w):
    y = x * 1
    d = y.detach()
    d.mul_(w)
    return d * 1, y * w


@programs.forbidden
def detached_then_written_after_the_original_was_saved(T, x, w):
    y = x * 1
    z = y * y
    y.detach().mul_(2)
    return z


@programs.allowed
def without_recording_the_history_stays(T, x, w):
    y = x * 2
    with T.no_grad():
        y.mul_(5)
        y[0] = 1.0
    return y * w


@programs.allowed
def detach_in_place_before_it_is_used(T, x, w):
    y = x * 2
    y.detach_()
    y.mul_(w)
    return y


@programs.allowed
def shape_changed_in_place(T, x, w):
    y = x * 1
    y.t_()
    y.unsqueeze_(0)
    z = y * w.t()
    z.squeeze_()
    z.mul_(2)
    return z, y


@programs.forbidden
def too_small_for_the_result(T, x, w):
    (x[0] * 1).add_(w)


@programs.forbidden
def of_a_type_too_small_for_the_result(T, x, w):
    T.ones(2, 3, dtype=T.int64).add_(0.5)


@programs.forbidden
def float_into_bool(T, x, w):
    (x.detach() > 0).mul_(2.0)


@programs.forbidden
def expanded(T, x, w):
    (x[0] * 1).expand(4, 3).add_(1)


@programs.allowed
def expanded_by_ones_only(T, x, w):
    y = (x * 1).expand(1, 2, 3)
    y.add_(w)
    return y


test_allowed, test_forbidden = programs.tests()
