"""erf and erfc against the C library's, erfinv against both, and the tables against published values."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from ndl.kernels.erf import erf, erfc, erfinv


def ulps(y: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference in units in the last place of ``expected``, which is float64 and rounded to y's dtype."""
    unit = np.spacing(np.abs(expected.astype(y.dtype))).astype(np.float64)
    return float(np.max(np.abs(y.astype(np.float64) - expected) / unit))


def by_math(f, x: np.ndarray) -> np.ndarray:
    return np.array([f(v) for v in x.tolist()])


def test_published_values() -> None:
    # Abramowitz & Stegun, tables 7.1 and 7.3, and DLMF 7; the digits beyond theirs by a computer algebra system.
    assert erf(np.array([0.5, 1.0, 2.0])).tolist() == pytest.approx(
        [0.5204998778130465, 0.8427007929497149, 0.9953222650189527], rel=4e-16
    )
    assert erfc(np.array([1.0, 2.0, 5.0, 10.0, 26.0])).tolist() == pytest.approx(
        [
            *(0.15729920705028513, 0.004677734981047266, 1.5374597944280349e-12),
            *(2.088487583762545e-45, 5.663192408856143e-296),
        ],
        rel=4e-16,
        abs=0,
    )
    assert erfinv(np.array([0.5, 0.9, 1 - 2.0**-53])).tolist() == pytest.approx(
        [0.4769362762044699, 1.1630871536766743, 5.863584748755168], rel=6e-16
    )


def in_units(y: float, exact: Decimal) -> Decimal:
    return abs(Decimal(y) - exact) / Decimal(float(np.spacing(float(exact))))


def test_against_exact_arithmetic() -> None:
    """erf x = 2/sqrt(pi) e^(-x²) Σ 2^n x^(2n+1) / (2n+1)!!, whose terms are all positive; then erfc x = 1 - erf x."""
    # Half way between nodes (256 and 128 to a unit) the series needs most terms. The last results are subnormal.
    points = [*np.linspace(1e-3, 0.02, 40), *(np.arange(3, 1536, 39) + 0.5) / 256]
    points += [*(np.arange(0, 3200, 64) + 0.5) / 128, *(np.arange(3200, 3485, 7) + 0.5) / 128]
    with localcontext() as context:
        context.prec = 360  # erfc 27.2 is 1e-323
        root_pi = (4 * (4 * atan_of_one_over(5) - atan_of_one_over(239))).sqrt()
        for point in points:
            x = Decimal(float(point))
            term, total, n = x, Decimal(0), 0
            while total + term != total:
                total += term
                n += 1
                term *= 2 * x * x / (2 * n + 1)
            exact = 2 / root_pi * (-x * x).exp() * total
            assert in_units(erf(np.array([point]))[0], exact) <= 1.6, point
            assert in_units(erfc(np.array([point]))[0], 1 - exact) <= 1.8, point


def atan_of_one_over(q: int) -> Decimal:
    total, power, n = Decimal(0), Decimal(1) / q, 0
    while total + power != total:
        total += power / (2 * n + 1) * (-1) ** n
        power /= q * q
        n += 1
    return total


@pytest.mark.parametrize(
    ("low", "high"),
    [(-6.5, 6.5), (0, 1), (0, 0.02), (0, 4 / 256), (5.9, 6.1), (1e-12, 1e-9), (0, 5e-308), (-1e-320, 1e-320)],
)
def test_erf_float64(low: float, high: float) -> None:
    x = np.linspace(low, high, 20_001)
    x = np.concatenate([x, np.nextafter(x, 9), (np.arange(-1537, 1538) + 0.5) / 256])
    # 1.5 of ours, and the C library has up to one of its own
    assert ulps(erf(x), by_math(math.erf, x)) <= 2


@pytest.mark.parametrize(("low", "high"), [(-4.5, 4.5), (0, 0.02), (1e-30, 1e-25), (0, 1e-37)])
def test_erf_float32(low: float, high: float) -> None:
    x = np.linspace(low, high, 20_001, dtype=np.float32)
    y = erf(x)
    assert y.dtype == np.float32
    assert ulps(y, by_math(math.erf, x)) <= 2
    torchs = torch.erf(torch.from_numpy(x)).numpy()
    assert ulps(y, by_math(math.erf, x)) <= 4 * max(ulps(torchs, by_math(math.erf, x)), 0.5)


@pytest.mark.parametrize(
    ("low", "high"), [(-6, 6), (0, 27.3), (-1, 1), (26, 27.3), (27.2, 27.3), (0.999, 1.001), (-1e-17, 1e-17)]
)
def test_erfc_float64(low: float, high: float) -> None:
    x = np.linspace(low, high, 20_001)
    assert ulps(erfc(x), by_math(math.erfc, x)) <= 6  # up to 1.7 are ours, the rest the C library's


def test_erf_is_odd_bounded_and_rises() -> None:
    x = np.linspace(0, 7, 100_001)
    y = erf(x)
    assert np.array_equal(erf(-x), -y)
    assert y.max() == 1
    # Across a node the error changes at once; within a unit or two the rise is not visible.
    assert (np.diff(y) >= -np.spacing(1.0)).all()


def test_special_arguments() -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, -1e308])
    for dtype in (np.float64, np.float32):
        with np.errstate(over="ignore"):
            a = x.astype(dtype)
        y = erf(a)
        assert np.array_equal(y, [0, 0, 1, -1, np.nan, a[5], 1, -1], equal_nan=True)
        assert np.signbit(y[:2]).tolist() == [False, True]
        assert np.array_equal(erfc(a), [1, 1, 0, 2, np.nan, 1, 0, 2], equal_nan=True)
    y = erfinv(np.array([0.0, -0.0, 1.0, -1.0, np.nan, 1.5, -np.inf]))
    assert np.array_equal(y, [0, 0, np.inf, -np.inf, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.signbit(y[:2]).tolist() == [False, True]


def test_erfinv_is_torchs() -> None:
    for y in (
        np.linspace(-1, 1, 20_002)[1:-1],
        1 - np.logspace(-15.9, -1, 2000),
        np.logspace(-300, -0.1, 2000),
        np.linspace(0.49, 0.51, 2001),
        np.array([1 - 2.0**-53, 2.0**-53 - 1]),
    ):
        assert ulps(erfinv(y), torch.erfinv(torch.from_numpy(y)).numpy()) <= 3
        single = y[np.abs(y) < 0.9999999].astype(np.float32)
        assert not single.size or ulps(erfinv(single), torch.erfinv(torch.from_numpy(single).double()).numpy()) <= 0.51


def test_erfinv_undoes_erf() -> None:
    x = np.linspace(-3, 3, 10_001)
    slope = 2 / np.sqrt(np.pi) * np.exp(-x * x)
    # What one unit in the last place of erf x means for x, and the same for x.
    assert (np.abs(erfinv(erf(x)) - x) <= 3 * (2.0**-53 / slope + np.spacing(np.abs(x)))).all()
