import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.quantiles")

X = np.random.default_rng(0).permutation(60).reshape(3, 4, 5).astype(float)
W = np.array([[1.0, np.nan, -np.inf, 4.0], [0.0, np.inf, 3.0, np.nan], [2.0, 5.0, 3.0, 1.0]])


def test_forms():
    same(
        lambda T, x: (
            x.median(),
            x.median(1),
            T.median(x, dim=0, keepdim=True),
            x.nanmedian(),
            x.mode(),
            x.mode(0, True),
        ),
        X,
    )
    same(
        lambda T, z: (z.median(), z.median(0), z.nanmedian(0), z.mode(), z.quantile(0.3), z.quantile(0.3, 0, True)),
        np.array(3.0),
    )
    agree(
        lambda T: [
            T.zeros(0).int().median().item(),
            str(T.zeros(0).median().item()),
            str(T.zeros(0).nanmedian().item()),
        ]
    )
    agree(lambda T: [[list(t.shape) for t in T.zeros(2, 0).median(0)], [list(t.shape) for t in T.zeros(2, 0).mode(0)]])


def test_the_lower_of_two_medians():
    assert ndl.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2
    assert ndl.tensor([4, 1, 3, 2]).median(0).indices.item() == 3


def test_infinities_and_nan():
    same(lambda T, x: (x.median(), x.median(1), x.median(0), x.nanmedian(), x.nanmedian(1), x.mode(1)), W)
    same(lambda T, x: (x.nanquantile(0.5, 1), x[2].quantile(0.4)), np.where(np.isinf(W), np.nan, W))
    agree(lambda T: str([round(v, 9) for v in T.tensor(W).quantile(0.4, 1).tolist()]))


def test_equal_elements_share_the_gradient_of_the_median_of_all():
    x = ndl.tensor([1.0, 3.0, 3.0, 0.0, 3.0], requires_grad=True)
    x.median().backward()
    assert np.allclose(x.grad.numpy(), [0, 1 / 3, 1 / 3, 0, 1 / 3])
    x.grad = None
    x.median(0).values.backward()
    assert x.grad.tolist() == [0, 1, 0, 0, 0]


def test_mode_takes_the_smallest_of_the_most_frequent_at_its_last_place():
    found = ndl.tensor([[3.0, 1.0, 3.0, 1.0, 2.0], [5.0, 4.0, 4.0, 4.0, 5.0]]).mode()
    assert found.values.tolist() == [1, 4] and found.indices.tolist() == [3, 3]


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [0, 0.25, 0.5, 0.7, 1.0])
def test_quantiles_are_numpy_s(interpolation: str, q: float) -> None:
    for axis in (None, 0, 2):
        ours = ndl.from_numpy(X).quantile(q, axis, interpolation=interpolation).numpy()
        assert np.allclose(ours, np.quantile(X, q, axis=axis, method=interpolation))
    missing = np.where(X % 7 == 0, np.nan, X)
    ours = ndl.from_numpy(missing).nanquantile(q, 1, interpolation=interpolation).numpy()
    assert np.allclose(ours, np.nanquantile(missing, q, axis=1, method=interpolation))


def test_several_quantiles_come_first():
    q = np.array([0.1, 0.5, 0.9])
    same(
        lambda T, x, q: (x.quantile(q), x.quantile(q, 1), x.quantile(q, 2, True), x.nanquantile(q, keepdim=True)), X, q
    )
    same(lambda T, x, q: (x.quantile(q[:1], 0), x.quantile(q[1], 0), T.quantile(x.float(), q.float(), 1) * 0), X, q)
    assert ndl.quantile(X, q, 1).shape == (3, 3, 5)


def test_layouts_and_twice():
    same(lambda T, x: (x.transpose(0, 2).median(0), x[..., ::2].mode(1), x.flip(0).quantile(0.3, 0)), X)
    same(lambda T, x: x.median(0).values * x.median() * x.quantile(0.5), X / 60)


def test_what_may_be_written_in_place_afterwards():
    def change(f):
        def program(T, x):
            y = x * 2
            z = f(y)
            y.add_(1)
            return z

        return program

    same(change(lambda y: y.median(0)), X)
    same(change(lambda y: y.mode(1)), X)
    same(change(lambda y: y.quantile(0.3, 1)), X)
    refused(change(lambda y: y.median()), X)


@refusals(
    (lambda T, x, z: x.median(2), "Dimension out of range"),
    (lambda T, x, z: x.bool().median(), "not implemented for bool"),
    (lambda T, x, z: x[:0].median(0), "to have non-zero size"),
    (lambda T, x, z: x[:0].mode(0), "to have non-zero size"),
    (lambda T, x, z: x.quantile(2.0), "q must be in the range [0, 1] but got 2"),
    (lambda T, x, z: x.quantile(T.tensor([0.5, -1.0])), "q must be in the range [0, 1]"),
    (lambda T, x, z: x.quantile(T.zeros(1, 1)), "q must be a scalar or 1D tensor"),
    (lambda T, x, z: x.quantile(T.zeros(1).double()), "q tensor must be same dtype as the input tensor"),
    (lambda T, x, z: x.int().quantile(0.5), "must be either float or double dtype"),
    (lambda T, x, z: x[:0].quantile(0.5), "input tensor must be non-empty"),
    (lambda T, x, z: x.quantile(0.5, interpolation="cubic"), "interpolation must be one of linear"),
    (lambda T, x, z: T.median([1.0]), "must be Tensor, not list"),
)
def test_refused(program, message):
    check(program, message)
