import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom:UserWarning")  # PyTorch's

test_parity, test_numeric, test_second = proof("ops.statistics")

X = np.random.default_rng(0).standard_normal((3, 4, 5))


def test_forms_of_the_arguments():
    same(
        lambda T, x: (
            x.var(),
            x.var(0),
            x.var((0, 2), False),
            x.var(1, True, True),
            x.var(False),
            x.var(unbiased=False),
        ),
        X,
    )
    same(lambda T, x: (x.std(dim=1, correction=0, keepdim=True), x.std(correction=None), x.std(axis=(0, 1))), X)
    same(lambda T, x: (T.var_mean(x, 1, unbiased=False), T.std_mean(x), T.std_mean(x, (0, 1), keepdim=True)), X)


def test_closed_form():
    x = ndl.tensor([1.0, 2.0, 4.0, 9.0], dtype=ndl.float64, requires_grad=True)
    assert x.var().item() == pytest.approx(38 / 3) and x.var(correction=0).item() == pytest.approx(9.5)
    x.var().backward()
    assert x.grad.tolist() == pytest.approx([-2, -4 / 3, 0, 10 / 3])


def test_special_values():
    for values in ([1.0, np.nan, 2.0], [np.inf, 1.0, 2.0], [2.0, 2.0, 2.0], [3.0]):
        same(lambda T, x: (x.var(), x.std(), x.var(0, correction=0)), np.array(values))
    same(lambda T, x: (x.std(), x.var(correction=0)), np.array(4.0))
    agree(lambda T: [str(t.item()) for t in (T.zeros(0).var(), T.zeros(0).std())])


@pytest.mark.parametrize("value", [0.1, -0.53938072, 1e8 / 3])
def test_equal_values_do_not_deviate(value: float):
    """Also where their mean, a sum divided by their number, is not quite their value."""
    for dtype in (ndl.float32, ndl.float64):
        for n in (3, 7, 12, 1001):
            x = ndl.full((n, 2), value, dtype=dtype, requires_grad=True)
            y = [x.std(), x.var(), x.std(0), x.var(0)]
            sum(t.sum() for t in y).backward()
            assert all((t == 0).all() for t in y) and (x.grad == 0).all()


def test_half_precision_is_computed_in_single():
    agree(lambda T: (T.arange(300.0).half().var().item(), T.arange(300.0).half().std().item()))


def test_a_large_mean_does_not_spoil_the_variance():
    x = (np.random.default_rng(0).standard_normal((2000, 3)) + 1000).astype(np.float32)
    exact = x.astype(np.float64).var(0)
    assert np.allclose(ndl.from_numpy(x).var(0, correction=0).numpy(), exact, rtol=1e-5)


def test_names_of_numpy():
    t = ndl.from_numpy(X)
    for f in (np.var, np.std):
        assert np.allclose(f(t, axis=1), f(X, axis=1)) and np.allclose(f(t, 0, ddof=1), f(X, 0, ddof=1))


def test_what_may_be_written_in_place_afterwards():
    def change_input(T, x):
        y = x * 2
        z = y.var(0)
        y.add_(1)
        return z

    refused(change_input, X)
    refused(lambda T, x: (x * 2).std(0).add_(1), X)
    same(lambda T, x: (x * 2).var(0).add_(1), X)


def test_layouts_and_twice():
    same(lambda T, x: (x.permute(2, 0, 1).var(0), x[..., ::2].std((0, 2)), x.expand(2, 3, 4, 5).var((0, 1))), X)
    same(lambda T, x: (x - x.mean(0)) / x.std(0) * x.var(), X)


@refusals(
    (lambda T, x, z: x.long().var(), "std and var only support floating point"),
    (lambda T, x, z: x.std(2), "Dimension out of range"),
    (lambda T, x, z: x.var((0, 0)), "appears multiple times"),
    (lambda T, x, z: x.var(0, correction=1, unbiased=True), "unbiased"),
)
def test_refused(program, message):
    check(program, message)
