from collections.abc import Callable

import numpy as np
import pytest

import ndl
from ndl.autograd.gradcheck import gradcheck
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter")

test_parity, test_numeric, test_second = proof("ops.scattering")


def double(*values: float) -> ndl.Tensor:
    return ndl.tensor(values, dtype=ndl.float64, requires_grad=True)


def test_the_last_of_several_values_stays_and_only_it_gets_the_gradient():
    """PyTorch documents its own gradient as wrong here."""
    i = ndl.tensor([0, 2, 0])
    assert ndl.zeros(3).scatter(0, i, ndl.tensor([1.0, 2.0, 3.0])).tolist() == [3.0, 0.0, 2.0]
    assert gradcheck(lambda x, v: x.scatter(0, i, v), (double(0, 0, 0), double(1, 2, 3)))
    assert gradcheck(lambda x, v: x.index_copy(0, i, v), (double(0, 0, 0), double(1, 2, 3)))
    assert gradcheck(lambda x, v: x.put(i, v), (double(0, 0, 0), double(1, 2, 3)))


def test_a_value_left_out_shares_no_gradient():
    """PyTorch lets the value that ``include_self=False`` leaves out take half of the gradient if it is equal."""
    v = ndl.tensor([-1.0], requires_grad=True)
    ndl.tensor([1.0, -1.0]).scatter_reduce(0, ndl.tensor([1]), v, "amin", include_self=False).sum().backward()
    assert v.grad.tolist() == [1.0]


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros(zeros: int) -> None:
    i = ndl.tensor([0, 1, 0, 0])
    v = double(*[0.0] * min(zeros, 1), *[2.0] * (1 - min(zeros, 1)), 3.0, *[0.0 if zeros > k else 5.0 for k in (1, 2)])
    assert gradcheck(lambda x, v: x.scatter_reduce(0, i, v, "prod"), (double(2, 7, 1), v))


def test_second_derivative_of_a_product_with_one_zero():
    def program(T, x, v):
        y = x.scatter_reduce(0, T.tensor([0, 1, 0]), v, "prod")
        (g,) = T.autograd.grad((y * y).sum(), v, create_graph=True)
        return g

    same(program, np.array([2.0, 3.0]), np.array([0.0, 4.0, 5.0]))
    same(program, np.array([2.0, 3.0]), np.array([2.0, 0.0, 5.0]))


def test_a_smaller_index_takes_a_part_of_the_source():
    x, v = ndl.zeros(2, 3), ndl.arange(6.0).reshape(2, 3).requires_grad_()
    y = x.scatter_add(1, ndl.tensor([[2, 2]]), v)
    assert y.tolist() == [[0, 0, 1], [0, 0, 0]]
    y.sum().backward()
    assert v.grad.tolist() == [[1, 1, 0], [0, 0, 0]]


def test_whole_numbers():
    agree(lambda T: T.zeros(3, dtype=T.int64).scatter_add(0, T.tensor([0, 0, 2]), T.tensor([2**53, 1, 5])).tolist())
    agree(lambda T: T.tensor([-1, 3]).scatter_reduce(0, T.tensor([0, 0]), T.tensor([-3, -4]), "mean").tolist())
    for reduce in ("sum", "prod", "amax", "amin", "mean"):
        agree(
            lambda T, reduce=reduce: (
                T.tensor([4, 7, 9]).scatter_reduce(0, T.tensor([0, 0]), T.tensor([-3, 6]), reduce, include_self=False)
            ).tolist()
        )
    agree(lambda T: T.zeros(2, dtype=T.int32).scatter(0, T.tensor([1]), 2.5).tolist())


def test_added_from_its_own_memory():
    rng = np.random.default_rng(0)
    x, i = rng.standard_normal((300, 50)), rng.integers(0, 300, 300)
    expected = x.copy()
    np.add.at(expected, i, x)
    y = ndl.from_numpy(x.copy())
    y.index_add_(0, ndl.from_numpy(i), y)
    assert np.allclose(y.numpy(), expected)


def test_numbers_without_dimensions():
    agree(lambda T: T.tensor(1.0).scatter(0, T.tensor(0), 5.0).item())
    agree(lambda T: T.tensor(1.0).scatter_add(0, T.tensor(0), T.tensor(5.0)).item())
    agree(lambda T: T.tensor(3.0).scatter_reduce(0, T.tensor(0), T.tensor(5.0), "prod").item())
    agree(lambda T: T.tensor(3.0).put(T.tensor(0), T.tensor(5.0)).item())


def test_an_index_changed_after_its_use_is_noticed():
    def program(T, x):
        i = T.tensor([1])
        y = T.zeros(3, dtype=x.dtype).index_add(0, i, x)
        i[0] = 0
        return y

    refused(program, np.ones(1))


def test_the_copy_leaves_the_original_alone():
    x, i, v = ndl.zeros(2), ndl.tensor([1]), ndl.ones(1)
    x.scatter(0, i, v), x.scatter_add(0, i, v), x.index_add(0, i, v), x.index_copy(0, i, v), x.index_fill(0, i, 1.0)
    x.put(i, v), x.scatter_reduce(0, i, v, "sum")
    assert x.tolist() == [0.0, 0.0]
    y = np.zeros(2)
    assert type(ndl.scatter_add(y, 0, np.array([1]), np.ones(1))) is np.ndarray and not y.any()


def test_written_in_place_into_a_view():
    def program(T, x, v):
        y = x * 2
        y[0].scatter_add_(0, T.tensor([1, 1]), v)
        y.T[2].index_fill_(0, T.tensor([1]), 3.0)
        y[:, 0].scatter_reduce_(0, T.tensor([0, 0]), v, "amax")
        return y * y

    same(program, np.ones((2, 3)), np.array([5.0, 7.0]))


@refusals(
    (lambda T, x, z: x.scatter(1, T.tensor([[0, 5]]), 2), "index 5 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.scatter(1, T.tensor([[0, -1]]), 2), "index -1 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.scatter(1, T.tensor([[0]]), x.double()), "Expected self.dtype to be equal to src.dtype"),
    (lambda T, x, z: x.scatter(1, T.tensor([[0, 1, 1]]), x[:, :2]), "to be no larger size than src [2, 2]"),
    (lambda T, x, z: x.scatter(1, T.tensor([[0]]), z), "must have the same number of dimensions as src tensor"),
    (lambda T, x, z: x.scatter(1, T.tensor([[0]]), x, reduce="mean"), "must be either add or multiply"),
    (lambda T, x, z: x.scatter_add(1, T.tensor([0]), x), "must have the same number of dimensions as self tensor"),
    (lambda T, x, z: x.scatter_add(1, T.tensor([[5]]), x), "index 5 is out of bounds"),
    (lambda T, x, z: x.scatter_add(1, T.tensor([[0]]), 2), "must be Tensor, not int"),
    (lambda T, x, z: x.scatter_reduce(1, T.tensor([[0]]), x, "foo"), "amax or amin, got foo"),
    (lambda T, x, z: x.scatter_reduce(1, T.tensor([[5]]), x, "amax"), "index 5 is out of bounds"),
    (lambda T, x, z: x.index_add(1, T.tensor([0, 0]), x), "Number of indices (2) should be equal to source.size(dim)"),
    (lambda T, x, z: x.index_add(1, T.tensor([0, 5, 1]), x), "index 5 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.index_add(1, T.tensor([0, -1, 1]), x), "index -1 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.index_add(1, T.tensor([0, 0, 1]), x.double()), "must have the same scalar type"),
    (lambda T, x, z: x.index_add(1, T.tensor([0, 0, 1]), x[:1]), "source tensor shape must match self tensor shape"),
    (lambda T, x, z: x.index_copy(1, T.tensor([0, 5]), x[:, 1:]), "index 5 is out of bounds"),
    (lambda T, x, z: x.index_copy(1, T.tensor([0, 1]), x), "Number of indices (2) should be equal to source.size(dim)"),
    (lambda T, x, z: x.index_fill(1, T.tensor([0, 5]), 9), "index 5 is out of bounds for dimension 1 with size 3"),
    (lambda T, x, z: x.index_fill(1, T.tensor([0]), T.tensor([9.0])), "only supports a 0-dimensional value tensor"),
    (lambda T, x, z: x.put(T.tensor([0]), T.zeros(3)), "Expected source and index to have the same number of elements"),
    (lambda T, x, z: x.put(T.tensor([6]), T.zeros(1)), "tried to access index 6 on a tensor of 6 elements."),
)
def test_refusals(program: Callable, message: str) -> None:
    check(program, message)
