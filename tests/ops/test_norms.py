import math

import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.norms")

X = np.random.default_rng(0).standard_normal((3, 4, 5))
ORDERS = [0, 1, 2, 3, 1.5, 0.5, -1, math.inf, -math.inf]


def test_forms():
    same(
        lambda T, x: (x.norm(), x.norm("fro", 1), x.norm(None, (0, 2), True), T.norm(x, p=1, dim=-1), x.norm(2, ())), X
    )
    same(lambda T, x: (x.norm(3, 0, keepdim=True), T.norm(x[0], "fro"), x.float().norm(dtype=T.float64) * 0), X)
    same(lambda T, z: (z.norm(), z.norm(1, 0), z.norm(math.inf)), np.array(-3.0))
    same(lambda T, x, y: (T.dist(x, y), x.dist(y, 1), T.dist(x, y[0], 3)), X, X[::-1] * 2)
    agree(lambda T: str(T.dist(T.ones(2), T.ones(2).double()).dtype).split(".")[-1])


@pytest.mark.parametrize("p", ORDERS)
def test_special_values(p: float) -> None:
    for values in (
        [0.0, 0.0, 0.0],
        [2.0, -2.0, 1.0, 1.0],
        [2.0, 0.0, -3.0],
        [math.inf, 1.0, -2.0],
        [math.nan, 1.0, 0.0],
        [1e200, 1e-200, 1.0],
        [1e-200],  # one number is not squared
        [-1e200],
        [0.0],
    ):
        same(lambda T, x: x.norm(p), np.array(values))


@pytest.mark.parametrize("p", ORDERS)
def test_nothing_has_norm_0_or_none(p: float) -> None:
    if p < 0 or p == math.inf:
        assert "does not have an identity" in refused(lambda T, x: x.norm(p), np.zeros(0))
        refused(lambda T, x: x.norm(p, 0), np.zeros((0, 2)))
    else:
        same(lambda T, x: (x.norm(p), x.norm(p, 0)), np.zeros((0, 2)))
    same(lambda T, x: x.norm(p, 1), np.zeros((0, 2)))


def test_the_gradient_of_a_length_is_its_direction():
    x = ndl.tensor([3.0, -4.0], requires_grad=True)
    x.norm().backward()
    assert np.allclose(x.grad.numpy(), [0.6, -0.8])
    x.grad = None
    (x * 0).norm().backward()  # the kink: PyTorch's 0
    assert x.grad.tolist() == [0, 0]


def test_half_precision_does_not_overflow_in_between():
    agree(lambda T: T.full((1000,), 100.0, dtype=T.float16).norm().item())


def test_layouts_and_twice():
    same(lambda T, x: (x.transpose(0, 2).norm(3, 0), x[..., ::2].norm(dim=(0, 2)), x.expand(2, 3, 4, 5).norm(1, 0)), X)
    same(lambda T, x: x / x.norm(dim=1, keepdim=True) * x.norm(), X)


def test_what_may_be_written_in_place_afterwards():
    def change(what):
        def program(T, x):
            y = x * 2
            z = y.norm()
            (y if what == "input" else z).add_(1)
            return z

        return program

    refused(change("input"), X)
    refused(change("result"), X)


@refusals(
    (lambda T, x, z: x.norm(dim=5), "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    (lambda T, x, z: x.long().norm(), "Expected a floating point or complex tensor as input"),
    (lambda T, x, z: x.norm("what"), "Order what not supported"),
    (lambda T, x, z: x.norm(2, (0, 0)), "appears multiple times"),
    (lambda T, x, z: T.dist(x, T.zeros(4)), "must match the size"),
)
def test_refused(program, message):
    check(program, message)
