import numpy as np
import pytest

import ndl
from tests.both import agree
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.uniques")


def listed(*results):
    """Values, types and shapes of nested results, with nan made equal to itself."""
    return [
        listed(*r) if isinstance(r, (tuple, list)) else (str(r.dtype).split(".")[-1], list(r.shape), str(r.tolist()))
        for r in results
    ]


VALUES = [[[1.0, 2.0], [2.0, 1.0]], [[3.0, float("nan")], [float("nan"), 3.0]], [[0.0, -0.0], [-1.0, 5.0]]]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True), (True, True)])
def test_forms(values: list, flags: tuple) -> None:
    agree(lambda T: listed(T.unique(T.tensor(values), True, *flags), T.tensor(values).unique_consecutive(*flags)))


def test_one_result_is_no_tuple():
    x = ndl.tensor([2, 1, 1])
    assert x.unique().tolist() == [1, 2] and type(x.unique(return_counts=True)) is tuple
    assert ndl.unique(np.array([2, 1, 1])).tolist() == [1, 2]
    assert not ndl.ones(2, requires_grad=True).unique().requires_grad


def test_types_and_sizes():
    for dtype in ("bool", "uint8", "int32", "float16", "float32"):
        agree(lambda T: listed(T.tensor([1, 0, 1]).to(getattr(T, dtype)).unique(return_counts=True)))  # noqa: B023
    agree(lambda T: listed(T.zeros(0).unique(return_counts=True), T.zeros(0).unique_consecutive(True, True)))
    agree(lambda T: listed(T.tensor(2.0).unique(return_inverse=True), T.tensor(2.0).unique_consecutive(True)))
    agree(lambda T: listed(T.zeros(0, 3).unique(dim=0), T.zeros(0, 3).unique_consecutive(dim=0)))


def test_isin():
    agree(lambda T: listed(T.isin(T.tensor([[1, 2], [3, 1]]), T.tensor([1, 7])), T.isin(T.tensor([1.5, 2]), 2)))
    agree(
        lambda T: listed(
            T.isin(T.tensor([1.5, 2]), T.tensor([2])), T.isin(2, T.tensor([[1], [2]])), T.isin(T.tensor(3), 3)
        )
    )
    agree(lambda T: listed(T.isin(T.tensor([1, 2]), T.tensor([2, 3]), assume_unique=True, invert=True)))
    agree(lambda T: listed(T.isin(T.tensor([float("nan")]), T.tensor([float("nan")]))))


@refusals(
    (lambda T, x, z: T.isin(2, 3), "two numbers"),
    (lambda T, x, z: x.unique(dim=2), "Dimension out of range"),
    (lambda T, x, z: T.zeros(3, 0).unique(dim=0), "There are 0 sized dimensions"),
    (lambda T, x, z: T.unique([1, 2]), "must be Tensor, not list"),
)
def test_refused(program, message):
    check(program, message)
