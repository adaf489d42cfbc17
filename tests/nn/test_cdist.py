"""The protocol for ``ndl.nn.cdist``, large sets in pieces, and what is refused."""

import numpy as np
import pytest

import ndl
from ndl.nn import cdist as room
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.cdist")

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("p", [0, 1, 1.5, 2, float("inf")])
def test_pieces_give_the_same(p, monkeypatch) -> None:
    """Large sets are worked through in blocks of rows."""
    monkeypatch.setattr(room, "BLOCK", 50)
    a, b = RNG.standard_normal((2, 7, 3)), RNG.standard_normal((2, 5, 3))
    same(lambda T, a, b: T.cdist(a, b, p=p), a, b)


def test_by_hand() -> None:
    a, b = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[3.0, 4.0]])
    assert ndl.cdist(a, b).tolist() == [[5.0], [0.0]]
    assert ndl.cdist(a, b, 1).tolist() == [[7.0], [0.0]]
    assert ndl.cdist(a, b, float("inf")).tolist() == [[4.0], [0.0]]
    assert ndl.cdist(a, b, 0).tolist() == [[2.0], [0.0]]
    assert ndl.pdist(a).tolist() == [5.0]


@pytest.mark.parametrize("mode", room.MODES)
def test_a_point_is_at_zero_distance_from_itself(mode) -> None:
    """There the gradient is 0, not 0/0. (A product of matrices may leave a rounding error of the distance.)"""
    x = ndl.tensor(np.array([[1.0, 2.0], [4.0, 6.0]]), requires_grad=True)
    y = ndl.cdist(x, x.detach(), compute_mode=mode)
    y.sum().backward()
    assert y.tolist() == [[0.0, 5.0], [5.0, 0.0]]
    np.testing.assert_allclose(x.grad.numpy(), [[-0.6, -0.8], [0.6, 0.8]])


@pytest.mark.parametrize("p", [1.0, 2.0, float("inf")])
@pytest.mark.parametrize("shapes", [((0, 3), (2, 3)), ((2, 3), (0, 3)), ((2, 0), (3, 0)), ((4, 0, 2), (4, 3, 2))])
def test_empty_sets(p, shapes) -> None:
    same(lambda T, a, b: T.cdist(a, b, p=p), *(np.zeros(s) for s in shapes))


def test_sets_of_one_and_points_of_no_dimension() -> None:
    """Without PyTorch, whose backward of pdist ends the whole program where a point has no dimension."""
    for shape, pairs in (((1, 3), 0), ((3, 0), 3), ((0, 2), 0)):
        x = ndl.zeros(shape, requires_grad=True)
        y = ndl.pdist(x)
        y.sum().backward()
        assert y.tolist() == [0.0] * pairs
        assert x.grad.shape == shape and not x.grad.any()


def test_types_stay() -> None:
    for n in (3, 30):
        for p in (0, 1, 2, 2.5, float("inf")):
            x = ndl.randn(n, 2).requires_grad_()
            y = ndl.cdist(x, x, p)
            y.sum().backward()
            assert y.dtype == x.grad.dtype == ndl.float32


REFUSED = [
    (lambda T, x: T.cdist(x.long(), x), RuntimeError, "X1 got: int64"),
    (lambda T, x: T.cdist(x, x.float()), RuntimeError, "expected scalar type float64 but found float32"),
    (lambda T, x: T.cdist(x[0], x), RuntimeError, "X1 got: 1D"),
    (lambda T, x: T.cdist(x, x[:, :2]), RuntimeError, "X1: 3 X2: 2"),
    (lambda T, x: T.cdist(x, x, p=-1), RuntimeError, "but got -1"),
    (lambda T, x: T.cdist(x, x, compute_mode="fast"), ValueError, "fast is not a valid value"),
    (lambda T, x: T.cdist(x.expand(5, 2, 3), x.expand(4, 2, 3)), RuntimeError, "must match the size"),
    (lambda T, x: T.pdist(x[0]), RuntimeError, "got: 1D"),
    (lambda T, x: T.pdist(x.long()), RuntimeError, "floating-point"),
    (lambda T, x: T.pdist(x, p=-1), RuntimeError, "but got -1"),
]


@pytest.mark.parametrize(("program", "error", "message"), REFUSED)
def test_what_pytorch_refuses_is_refused(program, error, message) -> None:
    assert message in refused(program, np.ones((2, 3)), error=error)
