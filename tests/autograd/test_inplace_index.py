"""In-place programs with x[index] = value, and loops as people write them."""

import numpy as np

from tests.both import Programs

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 3.0, -2.0], [0.5, -1.5, 4.0]])
MASK = np.array([[True, False, False], [False, True, True]])

programs = Programs(X, W)


# -- x[index] = value ------------------------------------------------------------------------------------------


@programs.allowed
def assign_a_number(T, x, w):
    y = x * 2
    y[0, 1] = 7.0
    y[1] = 3
    return y * w


@programs.allowed
def assign_a_tensor(T, x, w):
    y = x * 2
    y[0] = w[1]
    y[:, 1] = w[:, 0] * 2
    return y * y


@programs.allowed
def assign_with_broadcasting(T, x, w):
    y = x * 2
    y[:] = w[0]
    y[..., None][0] = w[1, 1]
    return y * w


@programs.allowed
def assign_to_a_constant(T, x, w):
    y = T.zeros(4, 3, dtype=T.float64)
    for i in range(2):
        y[i] = x[i] * w[i]
        y[i + 2] = y[i] * 2
    return y


@programs.allowed
def assign_at_a_mask(T, x, w):
    y = x * 2
    y[T.from_numpy(MASK)] = 5.0
    y[~T.from_numpy(MASK)] = w.sum()
    return y * w


@programs.allowed
def assign_at_a_mask_from_a_tensor(T, x, w):
    y = x * 2
    y[T.from_numpy(MASK)] = w[0]
    return y * w


@programs.allowed
def assign_at_indices(T, x, w):
    y = x * 2
    y[[1, 0]] = w
    y[:, [0, 2]] = w[:, :2]
    y[T.tensor([0, 1]), T.tensor([1, 2])] = w[0, :2]
    return y * w


@programs.allowed
def add_to_slices(T, x, w):
    y = x * 2
    y[0] += w[0]
    y[:, 1:] *= w[:, 1:]
    y[1, 0] -= 3
    y[T.from_numpy(MASK)] /= 2
    return y * y


@programs.allowed
def assign_to_a_view(T, x, w):
    y = x * 2
    v = y.t()
    v[0] = w[:, 0]
    v[[2]] = w[:, 1]
    return y * w, v * 2


@programs.allowed
def assign_a_part_of_itself(T, x, w):
    y = x * 2
    y[0] = y[1].clone()
    y[:, 0] = y[:, 2] + w[:, 0]
    y[1] = y[0]
    return y * w


@programs.forbidden
def assign_a_part_that_was_saved(T, x, w):
    y = x * 2
    y[:, 0] = y[:, 2] * w[:, 0]
    return y


@programs.forbidden
def assign_after_it_was_saved(T, x, w):
    y = x * 2
    z = y * y
    y[0, 0] = 1.0
    return z


@programs.forbidden
def assign_a_value_that_does_not_fit(T, x, w):
    (x * 2)[0] = w


@programs.allowed
def indexed_writes(T, x, w):
    y, i = x * 2, T.tensor([1, 0, 1])
    y.index_add_(1, T.tensor([0, 0]), w[:, :2])
    y.index_fill_(0, T.tensor([1]), 2.5)
    y.scatter_(0, i[None], w[:1])
    y.scatter_add_(1, T.tensor([[0, 0], [1, 1]]), w[:, 1:])
    y.index_copy_(0, T.tensor([1]), w[:1] * 3)
    return y * w


# -- loops as people write them --------------------------------------------------------------------------------


@programs.allowed
def recurrence_into_a_buffer(T, x, w):
    out = T.zeros(4, 2, 3, dtype=T.float64)
    h = x
    for t in range(4):
        h = (h * w).tanh()
        out[t] = h
    return out, out[-1] * 2


@programs.forbidden
def recurrence_that_reads_its_buffer(T, x, w):
    out = T.zeros(4, 2, 3, dtype=T.float64)
    out[0] = x
    for t in range(1, 4):
        out[t] = (out[t - 1] * w).tanh()  # the product keeps out[t - 1], whose memory is written next
    return out


@programs.allowed
def normalise_in_place(T, x, w):
    y = x @ w.t()
    y -= y.mean(0, keepdim=True)
    y /= (y * y).mean(0, keepdim=True).detach().sqrt() + 1
    return y


@programs.allowed
def a_training_step(T, x, w):
    for _ in range(3):
        loss = ((x * w).tanh() ** 2).sum()
        loss.backward()
        with T.no_grad():
            for p in (x, w):
                p -= 0.1 * p.grad
                p.grad.zero_()
    return x * w


test_allowed, test_forbidden = programs.tests()
