import numpy as np
import pytest

import ndl
from tests.both import agree
from tests.ops.raising import check, refusals
from tests.ops.test_uniques import listed
from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:.*non-contiguous:UserWarning")  # PyTorch's, about its own speed

test_parity, test_numeric, test_second = proof("ops.counting")

COUNTED = [1, 1, 3, 2, 2, 2, 0]


def test_bincount():
    for dtype in ("uint8", "int32", "int64"):
        agree(lambda T: listed(T.tensor(COUNTED).to(getattr(T, dtype)).bincount(minlength=6)))  # noqa: B023
    for dtype in ("float16", "float32", "float64", "int64"):
        agree(lambda T: listed(T.tensor(COUNTED).bincount(T.ones(7).to(getattr(T, dtype)))))  # noqa: B023
    agree(lambda T: listed(T.tensor(COUNTED)[:0].bincount(minlength=2), T.tensor(COUNTED)[:0].bincount(T.ones(0))))


def test_histc():
    x = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    agree(
        lambda T: listed(T.from_numpy(x).histc(), T.from_numpy(x).histc(17, -1, 1.5), T.histc(T.from_numpy(x), 7, 0, 1))
    )
    agree(
        lambda T: listed(T.tensor([2.0, 2.0]).histc(3), T.zeros(0).histc(3), T.tensor([0.0, 1.0, 2.0]).histc(2, 0, 2))
    )
    agree(lambda T: listed(T.tensor([0.5, float("nan"), 3.0]).histc(2, 0, 1)))
    assert ndl.histc(x, 5).sum() == 1000


def test_searchsorted():
    agree(lambda T: listed(T.searchsorted(T.tensor([1, 3, 5]), T.tensor([[0, 3], [4, 9]]), out_int32=True)))
    agree(
        lambda T: listed(
            T.searchsorted(T.tensor([1.0, 3, 3]), 3), T.searchsorted(T.tensor([1.0, 3, 3]), 3, side="right")
        )
    )
    agree(lambda T: listed(T.searchsorted(T.tensor([1.0, 2]), T.tensor([float("nan"), float("inf"), -float("inf")]))))
    agree(lambda T: listed(T.searchsorted(T.tensor([3, 1, 2]), T.tensor([2]), sorter=T.tensor([1, 2, 0]))))
    agree(
        lambda T: listed(
            T.bucketize(T.tensor([[0.5, 2]]), T.tensor([1.0, 2, 3]), right=True), T.bucketize(2, T.tensor([1, 2]))
        )
    )
    assert ndl.searchsorted(np.array([1.0, 3.0]), 2.0) == 1


@refusals(
    (lambda T, x, z: x.bincount(), "not implemented for float32"),
    (lambda T, x, z: T.tensor([1, -1]).bincount(), "only supports 1-d non-negative integral inputs"),
    (lambda T, x, z: T.ones(2, 2).long().bincount(), "only supports 1-d non-negative integral inputs"),
    (lambda T, x, z: T.tensor([1]).bincount(minlength=-1), "minlength should be >= 0"),
    (lambda T, x, z: T.tensor([1]).bincount(x), "weights should be 1-d and have the same length as input"),
    (lambda T, x, z: x.long().histc(), "not implemented for int64"),
    (lambda T, x, z: x.histc(0), "bins must be > 0"),
    (lambda T, x, z: x.histc(2, 3, 1), "max must be larger than min"),
    (lambda T, x, z: (x / 0).histc(2), "is not finite"),
    (lambda T, x, z: T.searchsorted(x, x[:1]), "first N-1 dimensions"),
    (lambda T, x, z: T.searchsorted(x[0], x, side="left", right=True), "side and right can't be set to opposites"),
    (lambda T, x, z: T.searchsorted(x[0], x, side="middle"), "side can only be 'left' or 'right' but got middle"),
    (lambda T, x, z: T.bucketize(x, x), "boundaries tensor must be 1 dimension, but got dim(2)"),
)
def test_refused(program, message):
    check(program, message)
