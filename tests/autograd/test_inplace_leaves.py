"""In-place programs on leaves and on their views, which would lose the leaf's gradient."""

import numpy as np

from tests.both import Programs

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])
MASK = np.array([[True, False, False], [False, True, True]])

programs = Programs(X, W)


@programs.forbidden
def add_to_a_leaf(T, x, w):
    x.add_(1)


@programs.forbidden
def operator_on_a_leaf(T, x, w):
    x += 1


@programs.forbidden
def write_an_element_of_a_leaf(T, x, w):
    x[0, 0] = 1.0


@programs.forbidden
def zero_a_leaf(T, x, w):
    x.zero_()


@programs.forbidden
def masked_fill_of_a_leaf(T, x, w):
    x.masked_fill_(T.from_numpy(MASK), 0)


@programs.forbidden
def view_of_a_leaf(T, x, w):
    x[0].mul_(2)


@programs.forbidden
def view_of_a_view_of_a_leaf(T, x, w):
    x.t()[0][1:].mul_(2)


@programs.forbidden
def flat_view_of_a_leaf(T, x, w):
    x.view(-1)[2] = 0.0


@programs.forbidden
def copy_into_a_leaf(T, x, w):
    x.copy_(w)


@programs.allowed
def leaf_without_recording(T, x, w):
    with T.no_grad():
        x.mul_(2)
        x[0] = 3.0
        x[:, 1].add_(1)
    return x * w


@programs.forbidden
def leaf_without_recording_after_it_was_saved(T, x, w):
    y = x * x
    with T.no_grad():
        x.mul_(2)
    return y


@programs.allowed
def view_of_a_leaf_then_the_leaf_without_recording(T, x, w):
    v = x[0]
    with T.no_grad():
        x.mul_(2)
    return v * v, v * w[0]


@programs.allowed
def view_of_a_leaf_without_recording(T, x, w):
    v = x[0]
    with T.no_grad():
        v.mul_(2)
    return v * v, x * w


@programs.allowed
def data_of_a_leaf(T, x, w):
    y = x * w
    x.data.add_(1)
    return y, x * x


@programs.allowed
def leaf_that_asks_for_gradients_late(T, x, w):
    plain = x.detach().clone()
    plain.mul_(2)
    plain.requires_grad_()
    return plain * x


@programs.forbidden
def view_made_before_its_base_became_a_leaf_with_gradients(T, x, w):
    base = T.zeros(4, dtype=T.float64)
    v = base[:2]
    base.requires_grad_()
    v.mul_(2)


@programs.forbidden
def a_view_that_is_a_leaf_itself(T, x, w):
    v = T.zeros(4, dtype=T.float64)[:2]
    v.requires_grad_()
    v.mul_(2)


test_allowed, test_forbidden = programs.tests()
