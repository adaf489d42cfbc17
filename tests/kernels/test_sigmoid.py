"""sigmoid, softplus and log_sigmoid: against exact arithmetic, in both tails, without a warning."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from ndl.kernels.sigmoid import log_sigmoid, sigmoid, softplus

EXACT = {
    sigmoid: lambda x: 1 / (1 + (-x).exp()),
    softplus: lambda x: (1 + x.exp()).ln(),
    log_sigmoid: lambda x: -((1 + (-x).exp()).ln()),
}


@pytest.mark.parametrize(("dtype", "limit"), [(np.float64, 2), (np.float32, 3)])
@pytest.mark.parametrize("function", EXACT)
@pytest.mark.parametrize("reach", [3, 40, "all"])
def test_all_digits_on_both_sides(function, dtype: type, limit: int, reach) -> None:
    end = reach if reach != "all" else {np.float64: 700, np.float32: 87}[dtype]
    x = np.linspace(-end, end, 401, dtype=dtype)
    y = function(x)
    assert y.dtype == dtype
    with localcontext() as context:
        context.prec = 700  # so that 1 + e^-700 keeps e^-700
        context.prec = 330 if reach == "all" else 60
        for got, value in zip(y, x, strict=True):
            expected = EXACT[function](Decimal(float(value)))
            unit = Decimal(float(np.spacing(np.abs(dtype(float(expected))))))
            assert abs(Decimal(float(got)) - expected) <= limit * unit, float(value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_far_out_without_a_warning(dtype: type) -> None:
    x = np.array([1e4, -1e4, np.inf, -np.inf, np.nan, 0.0], dtype)
    half = dtype(np.log(2))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.array_equal(sigmoid(x), np.array([1, 0, 1, 0, np.nan, 0.5], dtype), equal_nan=True)
        assert np.array_equal(softplus(x), np.array([1e4, 0, np.inf, 0, np.nan, half], dtype), equal_nan=True)
        expected = np.array([0, -1e4, 0, -np.inf, np.nan, -half], dtype)
        assert np.array_equal(log_sigmoid(x), expected, equal_nan=True)


def test_are_torchs() -> None:
    x = np.linspace(-50, 50, 10_001)
    t = torch.from_numpy(x)
    assert np.allclose(sigmoid(x), torch.sigmoid(t).numpy(), rtol=1e-15, atol=0)
    assert np.allclose(log_sigmoid(x), torch.nn.functional.logsigmoid(t).numpy(), rtol=1e-15, atol=0)
    theirs = torch.nn.functional.softplus(t, threshold=1e9).numpy()
    assert np.allclose(softplus(x), theirs, rtol=1e-15, atol=0)


def test_their_equations() -> None:
    x = np.linspace(-30, 30, 1001)
    assert np.allclose(sigmoid(x) + sigmoid(-x), 1, rtol=1e-15, atol=0)
    assert np.allclose(np.exp(log_sigmoid(x)), sigmoid(x), rtol=1e-14, atol=0)
    assert np.array_equal(log_sigmoid(x), -softplus(-x))
    assert np.allclose(softplus(x), np.logaddexp(0, x), rtol=1e-14, atol=0)
