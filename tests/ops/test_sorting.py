import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.sorting")

X = np.random.default_rng(0).permutation(60).reshape(3, 4, 5).astype(float)
W = np.array([[1.0, np.nan, -np.inf], [0.0, np.inf, 3.0], [np.nan] * 3])


def test_forms():
    same(
        lambda T, x: (x.sort(), x.sort(0, True), T.sort(x, stable=True, dim=1), x.argsort(-2), T.argsort(x, 0, True)), X
    )
    same(lambda T, x: (x.msort(), x.topk(2), T.topk(x, 1, 0, False, True), x.kthvalue(2), x.kthvalue(1, 0, True)), X)
    same(lambda T, z: (z.sort(), z.argsort(), z.topk(1), z.kthvalue(1), z.msort()), np.array(3.0))
    same(lambda T, e: (e.sort(0), e.argsort(1), e.topk(0), e.topk(0, 0)), np.zeros((0, 2)))


def test_nan_is_larger_than_every_number():
    same(lambda T, x: (x.sort(), x.sort(0, True), x.argsort(0), x[:2].kthvalue(2)), W)
    agree(lambda T: str([T.tensor(W).topk(2, largest=largest).values.tolist() for largest in (True, False)]))


@pytest.mark.parametrize("descending", [False, True])
def test_equal_elements_stay_in_their_order(descending: bool) -> None:
    x = np.random.default_rng(0).integers(0, 3, (2, 40)).astype(float)
    options = {"dim": 1, "descending": descending, "stable": True}
    same(lambda T, x: (x.sort(**options), x.argsort(**options), T.sort(x.long() % 2, **options)), x)
    assert ndl.zeros(30).argsort(descending=descending).tolist() == list(range(30))


@pytest.mark.parametrize("n, k", [(5, 2), (70, 3), (70, 8), (70, 12), (70, 40), (70, 70), (1000, 100)])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_is_the_beginning_of_the_order(n: int, k: int, largest: bool) -> None:
    rng = np.random.default_rng(n)
    for x in (rng.permutation(n * 3).reshape(3, n) / 2, rng.permutation(n * 3).reshape(3, n)):
        for dim, t in ((1, ndl.from_numpy(x)), (0, ndl.from_numpy(x.T))):
            y, i = t.topk(k, dim, largest)
            order = t.argsort(dim, descending=largest).narrow(dim, 0, k)
            assert i.tolist() == order.tolist() and y.tolist() == t.gather(dim, order).tolist()


def test_topk_of_ties_infinities_and_nan_has_the_right_values():
    rng = np.random.default_rng(0)
    for pool in ([0.0, 1.0], [-np.inf, np.inf, 0.0], [np.nan, 1.0, 2.0], [-np.inf]):
        x = rng.choice(pool, (4, 90))
        for k in (3, 12):
            agree(lambda T: str([T.tensor(x).topk(k, largest=b).values.tolist() for b in (True, False)]))  # noqa: B023
            found = ndl.tensor(x).topk(k)
            assert all(len(set(line)) == k for line in found.indices.tolist())
            assert np.array_equal(np.take_along_axis(x, found.indices.numpy(), 1), found.values.numpy(), equal_nan=True)


def test_kthvalue_is_the_kth_of_the_order():
    x = np.random.default_rng(0).integers(0, 4, (5, 30))
    for dtype in (np.int64, np.float64):
        t = ndl.from_numpy(x.astype(dtype))
        for k in (1, 2, 15, 29, 30):
            y, i = t.kthvalue(k)
            assert y.tolist() == t.sort().values[:, k - 1].tolist() and i.tolist() == t.argsort()[:, k - 1].tolist()


def test_layouts_and_twice():
    same(lambda T, x: (x.transpose(0, 2).sort(0), x[..., ::2].topk(2, 1), x.flip(0).kthvalue(2, 0)), X)
    same(lambda T, x: x.sort(0).values * x.sort(1).values * x.topk(5).values, X / 60)


def test_names():
    t = ndl.from_numpy(X)
    for name, found in (("sort", t.sort()), ("topk", t.topk(1)), ("kthvalue", t.kthvalue(1))):
        assert type(found).__name__ == name and repr(found).startswith(f"ndl.return_types.{name}(\nvalues=tensor(")
    assert np.array_equal(np.sort(t, axis=0), np.sort(X, axis=0))
    assert np.array_equal(ndl.sort(X, 1).values, np.sort(X, axis=1))


def test_what_may_be_written_in_place_afterwards():
    for f in (lambda y: y.sort(), lambda y: y.topk(2), lambda y: y.kthvalue(2)):

        def change(T, x, f=f):
            y = x * 2
            z = f(y).values
            y.add_(1)
            z.mul_(2)
            return y, z

        def change_indices(T, x, f=f):
            z = f(x)
            z.indices.add_(0)
            return z.values

        same(change, X)
        refused(change_indices, X)


@refusals(
    (lambda T, x, z: x.sort(5), "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    (lambda T, x, z: x.topk(4), "selected index k out of range"),
    (lambda T, x, z: x.topk(-1), "selected index k out of range"),
    (lambda T, x, z: x.topk(1, 2), "Dimension out of range"),
    (lambda T, x, z: x.bool().topk(1), "does not support bool"),
    (lambda T, x, z: x.kthvalue(0), "selected number k out of range for dimension 1"),
    (lambda T, x, z: x.kthvalue(4), "selected number k out of range"),
    (lambda T, x, z: x[:0].kthvalue(1, 0), "to have non-zero size"),
    (lambda T, x, z: T.sort([2, 1]), "must be Tensor, not list"),
)
def test_refused(program, message):
    check(program, message)
