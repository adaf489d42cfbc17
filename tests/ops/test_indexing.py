from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from ndl.autograd.function import ArrayFunction
from tests.both import agree, outcome, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.indexing")

X = np.arange(24.0).reshape(2, 3, 4)

VIEWS: list[Any] = [
    0,
    -1,
    (1, 2, 3),
    (1, ..., 2),
    (slice(None), 1),
    (slice(0, 2), None, slice(1, 9, 2)),
    ...,
    (),
    None,
    (..., None),
    slice(5, 9),
]


@pytest.mark.parametrize("index", VIEWS, ids=str)
def test_numbers_and_slices_give_views(index: Any) -> None:
    x, y = ndl.from_numpy(X.copy()), torch.from_numpy(X.copy())
    assert tuple(x[index].shape) == tuple(y[index].shape)
    if y[index].numel():
        assert x[index].data_ptr() - x.data_ptr() == y[index].data_ptr() - y.data_ptr()
        x[index].fill_(-1.0)
        y[index].fill_(-1.0)
        assert x.tolist() == y.tolist()


def test_a_tensor_without_dimensions_is_a_number_and_gives_a_view():
    x = ndl.from_numpy(X.copy())
    assert x[ndl.tensor(1)].data_ptr() == x[1].data_ptr()
    assert x[ndl.tensor(1) :, :, : ndl.tensor(2)].data_ptr() == x[1:].data_ptr()


@pytest.mark.parametrize("index", [[0], [True, False], True, np.array([1]), range(2), ([0], 1), (0, [1, 2])], ids=str)
def test_indices_and_masks_give_copies(index: Any) -> None:
    x = ndl.from_numpy(X.copy())
    x[index].fill_(-1.0)
    assert np.array_equal(x.numpy(), X)


def test_order_of_dimensions_is_pytorch_s_not_numpy_s():
    assert X[0, :, [1, 2]].shape == (2, 3)
    assert tuple(ndl.from_numpy(X)[0, :, [1, 2]].shape) == (3, 2)
    agree(lambda T: T.from_numpy(X.copy())[0, :, [1, 2]].tolist())
    agree(lambda T: T.from_numpy(X.copy())[[0, 1], :, [1, 2]].tolist())
    agree(lambda T: T.from_numpy(X.copy())[[0, 1], 0, [1, 2]].tolist())


def test_a_list_of_lists_still_stands_for_a_tuple():
    for T in (ndl, torch):
        with pytest.warns(UserWarning, match="non-tuple sequence"):
            assert T.from_numpy(X.copy())[[[0, 1], [1, 2]]].tolist() == X[[0, 1], [1, 2]].tolist()


def test_uint8_is_a_mask_with_a_warning():
    for T in (ndl, torch):
        with pytest.warns(UserWarning, match="uint8"):
            assert T.arange(3)[T.tensor([1, 0, 1], dtype=T.uint8)].tolist() == [0, 2]


def test_gradients_of_one_row_read_often_add_up():
    table = ndl.ones(4, 20, requires_grad=True)
    rows = ndl.tensor([1, 1, 3, 1] * 30)
    (table[rows] * ndl.arange(120.0).unsqueeze(1)).sum().backward()
    weights = np.arange(120.0)
    expected = [0, weights[rows.numpy() == 1].sum(), 0, weights[rows.numpy() == 3].sum()]
    assert np.allclose(table.grad.numpy(), np.array(expected)[:, None])


def test_the_last_of_several_values_stays_and_only_it_gets_the_gradient():
    x, v = ndl.zeros(3, requires_grad=True), ndl.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = x * 1
    y[[0, 2, 0, 0]] = v
    assert y.tolist() == [4.0, 0.0, 2.0]
    (y * ndl.tensor([10.0, 20.0, 30.0])).sum().backward()
    assert v.grad.tolist() == [0.0, 30.0, 0.0, 10.0]  # PyTorch would give 10 to all three that went to place 0
    assert x.grad.tolist() == [0.0, 20.0, 0.0]
    y = x * 1
    y[:, None][[1, 1]] = v[:1]  # one value broadcast to a place twice counts once
    assert ndl.autograd.grad(y.sum(), v)[0].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_reading_and_writing_the_same_memory():
    agree(lambda T: shifted(T).tolist())
    x = ndl.arange(6.0)
    x[[1, 2, 3, 4, 5]] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    x.index_put_((ndl.tensor([1, 2, 3, 4, 5] * 3),), x[:-1].repeat(3), accumulate=True)
    assert x.tolist() == [0, 0, 1, 5, 9, 13]


def shifted(T: Any) -> Any:
    x = T.arange(6.0)
    x[1:] = x[:-1].clone()
    return x


def test_values_take_the_tensor_s_type_and_lose_their_history():
    x, v = ndl.zeros(2, dtype=ndl.int64), ndl.tensor(2.7, requires_grad=True)
    x[0] = v
    x[1:] = v
    assert x.tolist() == [2, 2] and not x.requires_grad
    half, v = ndl.zeros(2), ndl.tensor([1.0, 2.0], dtype=ndl.float64, requires_grad=True)
    half[:] = v
    half.sum().backward()
    assert v.grad.dtype == ndl.float64


def test_arrays_can_be_assigned():
    x = ndl.zeros(2, 3)
    x[1] = np.arange(3)  # PyTorch refuses, but nothing could be meant but this
    assert x[1].tolist() == [0.0, 1.0, 2.0]


def test_a_parameter_can_be_written_without_grad():
    def program(T):
        w = T.ones(2, 3, requires_grad=True)
        with T.no_grad():
            w[0] = 5.0
            w[:, [1]] = 7.0
            w[w == 1.0] = 2.0
        return w.tolist(), w.requires_grad, w.is_leaf

    agree(program)


def test_writing_where_a_gradient_would_be_lost_is_refused():
    refused(lambda T, x: x.__setitem__(0, 1.0), np.ones((2, 3)))
    refused(lambda T, x: x.__setitem__(0, x[0]), np.ones((2, 3)))
    refused(lambda T, x: x[1].__setitem__([0], 1.0), np.ones((2, 3)))

    def kept_value_overwritten(T, x):
        y = x * 1
        z = y * y
        y[0] = 5.0
        return z

    refused(kept_value_overwritten, np.ones((2, 3)))


def test_an_index_changed_after_its_use_is_noticed():
    def program(T, x):
        i = T.tensor([0, 1])
        y = x[i]
        i[0] = 1
        return y

    refused(program, np.ones((2, 3)))


def test_an_array_changed_after_its_use_does_no_harm():
    x, i = ndl.ones(3, requires_grad=True), np.array([0, 0])
    y = x[i]
    i[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_adding_to_a_part_counts_once():
    def program(T, x, v):
        y = x * 2
        y[0] += v
        y[1, 1:] *= v[1:]
        y[[0, 1], 0] -= v[:2]
        y[y > 100] += 1
        return y**2

    same(program, np.ones((2, 3)), np.arange(1.0, 4.0))


def looped(T: Any, x: Any, hook: Any = None) -> Any:
    out = T.zeros(4, 3, dtype=x.dtype)
    h = x
    for t in range(4):
        h = h * x
        out[t] = h
        if hook is not None and out.requires_grad:
            hook(out)
    return out


def test_a_sequence_written_step_by_step():
    same(lambda T, x: looped(T, x), np.array([0.5, 1.0, 2.0]))
    same(lambda T, x: (looped(T, x) ** 2).sum(), np.array([0.5, 1.0, 2.0]))  # the loop owns its gradient
    x = np.array([0.5, 1.0, 2.0])
    for hook in (lambda out: out.retain_grad(), lambda out: out.register_hook(lambda g: g * 2)):
        same(lambda T, x, hook=hook: looped(T, x, hook) ** 2, x)


def test_a_gradient_that_was_given_is_not_written_to():
    x = ndl.tensor([0.5, 1.0, 2.0], requires_grad=True)
    out, given = looped(ndl, x), ndl.ones(4, 3)
    out.sum().backward(retain_graph=True)
    for _ in range(2):
        out.backward(given, retain_graph=True)
    assert given.tolist() == [[1.0] * 3] * 4
    once = x.grad / 3
    out.sum().backward()
    assert np.allclose(x.grad.numpy(), 4 * once.numpy())


def test_a_gradient_seen_elsewhere_is_not_written_to():
    def program(T, x):
        y = x * 1
        z = y * 3
        y = y * 1
        y[0] = z[1]
        return y, z  # the gradient of y's sum goes to y and, through z, to x

    same(program, np.ones((3, 2)))
    same(lambda T, x: (program(T, x)[0] + program(T, x)[1]) ** 2, np.ones((3, 2)))


def test_a_gradient_that_was_shown_does_not_change_afterwards():
    x = ndl.tensor([0.5, 1.0, 2.0], requires_grad=True)
    shown: list = []
    looped(ndl, x, lambda out: out.register_hook(lambda g: shown.append((g, g.tolist())))).sum().backward()
    looped(
        ndl, x, lambda out: out.grad_fn.register_prehook(lambda g: shown.append((g[0], g[0].tolist())))
    ).sum().backward()
    stages: list = []
    total = looped(ndl, x, lambda out: stages.append(out * 1)).sum()
    found = ndl.autograd.grad(total, [looped(ndl, x), x], allow_unused=True)
    assert found[0] is None and len(shown) == 8
    for g, before in shown:
        assert g.tolist() == before


def test_a_gradient_that_was_asked_for_is_whole():
    def program(T):
        x = T.tensor([1.0, 2.0], requires_grad=True)
        y = x * 3
        before = y * 1
        z = before * 1
        z[0] = y[1]
        kept = z * 1
        kept[1] = y[0]
        g = T.autograd.grad((kept * 5).sum(), [kept, x])
        return [v.tolist() for v in g]

    agree(program)


def test_adding_to_a_part_is_one_step():
    y = ndl.ones(2, 3, requires_grad=True) * 2
    y[0] += 1.0
    assert y.grad_fn.name() == "CopySlices"  # made by the addition; writing the view to itself adds nothing


class Same(ArrayFunction):
    """z = x + y, whose two gradients share memory."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x + y

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        dx = dz * 2
        return dx, dx.reshape(dx.shape)


def test_a_gradient_seen_through_a_view_is_not_written_to():
    x, y = (ndl.ones(3, requires_grad=True) for _ in range(2))
    other, written = y * 1, x * 1
    written[0] = 5.0
    Same.apply(written, other).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 2.0] and y.grad.tolist() == [2.0, 2.0, 2.0]


def test_second_derivatives_through_a_loop():
    def program(T):
        x = T.tensor([0.5, 1.0, 2.0], dtype=T.float64, requires_grad=True)
        (g,) = T.autograd.grad((looped(T, x) ** 2).sum(), x, create_graph=True)
        (gg,) = T.autograd.grad(g.sum(), x)
        return [round(v, 9) for v in gg.tolist()]

    agree(program)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_counting_with_tensors_of_no_dimensions(dtype: str):
    """The confusion matrix as people write it: ``c[t, p] += 1`` for each pair of a loop over two tensors."""

    def program(T: Any) -> Any:
        c = T.zeros(3, 3, dtype=T.int64)
        for t, p in zip(T.tensor([0, 1, 1, 0]), T.tensor([1, 1, 0, 1]), strict=True):
            c[t.to(getattr(T, dtype)), p] += 1
            c[t, p.to(getattr(T, dtype))] += 2
            c[t] -= 1
        return c.tolist()

    agree(lambda T: outcome(lambda: program(T)))


def test_gradients_of_numbers_written_one_by_one():
    def program(T: Any, x: Any, v: Any) -> Any:
        y = x * 2
        for i, j in ((0, 1), (1, 1), (0, 1)):
            y[T.tensor(i), T.tensor(j)] += v[j]
            y[T.tensor(i), 0] *= v[i]
        y[T.tensor(1)] = v
        return y * y

    same(program, np.arange(6.0).reshape(3, 2) + 1, np.array([0.5, -1.5]))


def test_a_list_of_fractions_is_no_index():
    with pytest.raises(IndexError, match="must be long"):
        ndl.arange(3)[[0.5, 1.0]]  # PyTorch cuts them to whole numbers


def test_membership_and_reversal():
    agree(lambda T: (3.0 in T.arange(4.0), 9 in T.arange(4), T.tensor(1.0) in T.arange(4.0)))
    agree(lambda T: reversed(T.arange(4)).tolist())
    agree(lambda T: outcome(lambda: "a" in T.arange(4)))


def test_plain_arrays_stay_arrays():
    x = np.zeros(4)
    y = ndl.index_put(x, (np.array([1, 1]),), np.ones(2), accumulate=True)
    assert type(y) is np.ndarray and y.tolist() == [0, 2, 0, 0] and not x.any()


def put(x: Any, i: Any, v: Any) -> None:
    x[i] = v


@refusals(
    (lambda T, x, z: x[5], "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda T, x, z: x[:, -4], "index -4 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: z[0], "invalid index of a 0-dim tensor"),
    (lambda T, x, z: x[0, 0, 0], "too many indices for tensor of dimension 2"),
    (lambda T, x, z: x[[0], 0, 0], "too many indices for tensor of dimension 2"),
    (lambda T, x, z: x[::-1], "step must be greater than zero"),
    (lambda T, x, z: x[::0], "slice step cannot be zero"),
    (lambda T, x, z: x[1.5], "are valid indices (got float)"),
    (lambda T, x, z: x[{}], "are valid indices (got dict)"),
    (lambda T, x, z: x[T.tensor(1.0)], "tensors used as indices must be long, int, byte or bool tensors"),
    (lambda T, x, z: x[T.tensor([0], dtype=T.int16)], "tensors used as indices must be long"),
    (lambda T, x, z: x[T.tensor([5])], "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda T, x, z: x[:, T.tensor([-4])], "index -4 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x[[0, 1, 1], [0, 1]], "could not be broadcast together with shapes [3], [2]"),
    (lambda T, x, z: x[:, T.tensor([True, False])], "The shape of the mask [2] at index 0 does not match the shape of"),
    (lambda T, x, z: x[T.zeros(2, 2, dtype=T.bool)], "[2, 2] at index 1 does not match"),
    (lambda T, x, z: T.zeros(0, 2)[T.tensor([0])], "out of bounds"),
    (lambda T, x, z: put(x, 0, [1, 2, 3]), "can't assign a list"),
    (lambda T, x, z: put(x, 0, None), "can't assign a NoneType"),
    (lambda T, x, z: put(x, 0, T.zeros(2)), "shape [2] cannot be broadcast to indexing result of shape [3]"),
    (lambda T, x, z: put(x, 0, T.zeros(2, 3)), "shape [2, 3] cannot be broadcast to indexing result of shape [3]"),
    (lambda T, x, z: put(x, [0, 1], T.zeros(2)), "shape [2] cannot be broadcast to indexing result of shape [2, 3]"),
    (lambda T, x, z: put(x, x > 2, T.zeros(2)), "shape [2] cannot be broadcast to indexing result of shape [3]"),
    (lambda T, x, z: put(x, [0], T.zeros(3, dtype=T.float64)), "Index put requires the source and destination dtypes"),
    (lambda T, x, z: put(x.int(), [0], T.tensor(1.5)), "Index put requires the source and destination dtypes"),
    (lambda T, x, z: put(x, 5, 2), "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda T, x, z: put(x, [5], 2), "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda T, x, z: put(z, 0, 2), "invalid index of a 0-dim tensor"),
    (lambda T, x, z: x.index_put(T.tensor([5]), z), "must be tuple of Tensors"),
    (lambda T, x, z: x.index_put([T.tensor([0])], 7.0), "must be Tensor, not float"),
    (lambda T, x, z: x.index_put([T.tensor([5])], z), "index 5 is out of bounds"),
    (lambda T, x, z: x.index_put([T.tensor([5])], z, True), "index 5 is out of bounds"),
    (lambda T, x, z: x.index_put([T.tensor([0])], T.zeros(2), True), "shape [2] cannot be broadcast"),
    (lambda T, x, z: x.index_put([T.tensor([0])], T.tensor(7), True), "Index put requires"),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
