import numpy as np
import pytest
import torch

import ndl
from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.elementary", examples=12)


@pytest.mark.parametrize("name", ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10"])
def test_special_values_of_one(name):
    same_everywhere(lambda T, x: getattr(T, name)(x))


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2", "xlogy"])
def test_special_values_of_two(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


@pytest.mark.parametrize("name", ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp"])
def test_float32_errs_at_most_four_times_as_much_as_pytorch(name):
    x = np.random.default_rng(0).uniform(0.01, 20, 4000).astype(np.float32)
    arguments = (x, x[::-1].copy()) if name == "logaddexp" else (x,)
    truth = getattr(np, name)(*(a.astype(np.float64) for a in arguments))
    ours, theirs = (
        np.max(np.abs(getattr(T, name)(*map(T.from_numpy, arguments)).numpy() - truth) / np.abs(truth))
        for T in (ndl, torch)
    )
    assert ours <= 4 * theirs + 1e-7


def test_small_arguments_keep_their_digits():
    x = ndl.tensor([1e-12], dtype=ndl.float64, requires_grad=True)
    assert ndl.expm1(x).item() == 1e-12 + 0.5e-24 and ndl.log1p(x).item() == 1e-12 - 0.5e-24
    assert ndl.logaddexp(ndl.tensor(1000.0), ndl.tensor(1000.0)).item() == pytest.approx(1000 + np.log(2))


def test_xlogy_takes_numbers_and_hides_the_logarithm_of_zero():
    same(lambda T, x, y: (T.xlogy(2, y), T.xlogy(x, 3.0), x.xlogy(y)), np.array([0.0, 1.0]), np.array([0.5, 2.0]))
    assert ndl.xlogy(ndl.zeros(1), ndl.zeros(1)).item() == 0


def test_types():
    same(
        lambda T, n, m: (T.exp(m), T.log(m), T.xlogy(n, m), n.log2()),
        np.arange(1, 3, dtype=np.int32),
        np.array([False]),
    )
    refused(lambda T, n: T.logaddexp(n, n), np.arange(3), error=NotImplementedError)
    refused(lambda T, n: n.exp_(), np.arange(3))


def test_exp_keeps_its_result_and_log_its_input():
    refused(lambda T, x: x.exp().mul_(2), np.ones(2))
    same(lambda T, x: x.log().mul_(2), np.arange(1.0, 3.0))

    def change_input(T, x, f):
        y = x * 1
        z = getattr(y, f)()
        y.zero_()
        return z

    same(lambda T, x: change_input(T, x, "exp"), np.ones(2))
    refused(lambda T, x: change_input(T, x, "log"), np.ones(2))


def test_without_dimensions_second_derivatives_are_there():
    # NumPy returns scalars for arrays without dimensions; one kept as such would be a constant to the graph.
    for f, second in (
        (ndl.exp, np.exp(0.5)),
        (ndl.log, -4.0),
        (ndl.exp2, np.log(2) ** 2 * 2**0.5),
        (ndl.log1p, -1 / 2.25),
    ):
        x = ndl.tensor(0.5, dtype=ndl.float64, requires_grad=True)
        (g,) = ndl.autograd.grad(f(x), x, create_graph=True)
        (h,) = ndl.autograd.grad(g, x)
        assert h.item() == pytest.approx(second)
