"""The logarithm of the gamma function, and its derivative.

    lgamma x = log |Γ(x)|,     digamma x = ψ(x) = d/dx log Γ(x),     Γ(x + 1) = x Γ(x)

Both take the same three steps (Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, chapter 6):

1. x < -1/2: reflected to the other side.

       Γ(x) Γ(-x) = -π / (x sin πx)        ψ(x) = ψ(-x) - 1/x - π cot πx

2. x >= 10: Stirling's series. (B_2k are the Bernoulli numbers.)

       log Γ(x) = (x - 1/2) log x - x + log(2π)/2 + Σ_k B_2k / (2k (2k-1)) x^(1-2k)
       ψ(x)     = log x - 1/(2x) - Σ_k B_2k / (2k) x^(-2k)

3. What lies between is shifted by whole numbers to x = 2 + z with |z| <= 1/2, where Taylor's series is short:

       log Γ(2 + z) = (1 - γ) z + Σ_{k>=2} (ζ(k) - 1) (-z)^k / k

   It has no constant term, so log Γ keeps all its digits near its zeros at 1 and 2.

Largest errors found in float64, in units in the last place: lgamma 5 for x > 0; digamma 5, of the larger of
|ψ(x)| and 1. Left of 0 the terms of the reflection may cancel, and the error is that small beside the
largest of them, as in the C library. float32 and float16 are computed in float64 and rounded once. Cost: 60
ns a number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.elementwise import apply_in_pieces

__all__ = ["digamma", "lgamma"]

ONE_MINUS_EULER = 0.42278433509846713
HALF_LOG_2PI = 0.9189385332046728
ZETA_MINUS_1 = [  # ζ(k) - 1 for k = 2, 3, .. 27
    *(0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993),
    *(0.01734306198444914, 0.008349277381922827, 0.00407735619794434, 0.0020083928260822143),
    *(0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915),
    *(6.124813505870483e-05, 3.058823630702049e-05, 1.528225940865187e-05, 7.637197637899763e-06),
    *(3.81729326499984e-06, 1.908212716553939e-06, 9.539620338727962e-07, 4.769329867878064e-07),
    *(2.38450502727733e-07, 1.1921992596531106e-07, 5.960818905125948e-08, 2.980350351465228e-08),
    *(1.4901554828365043e-08, 7.45071178983543e-09),
]
BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6]  # B_2, B_4, ..
LARGE = 10


def lgamma(x: NDArray, out: NDArray | None = None) -> NDArray:
    """log |Γ(x)|, element by element; inf at 0, -1, -2, .. and at ±inf. x: a float dtype; out may be x."""
    return apply_in_pieces(_lgamma_piece, x, out, work=np.float64)


def digamma(x: NDArray, out: NDArray | None = None) -> NDArray:
    """Γ'(x) / Γ(x), element by element; ∓inf at ±0, NaN at -1, -2, .. x: a float dtype; out may be x."""
    return apply_in_pieces(_digamma_piece, x, out, work=np.float64)


def _lgamma_piece(x: NDArray, out: NDArray) -> None:
    with np.errstate(all="ignore"):
        left = x < -0.5
        y = _either(np.where(left, -x, x), _lgamma_stirling, _lgamma_shifted)
        x = x[left]
        beyond = x - np.rint(x)  # exact, so that sin πx is right for large x, too
        reflected = np.log(np.pi / np.abs(x * np.sin(np.pi * beyond))) - y[left]
        reflected[(beyond == 0) | np.isinf(x)] = np.inf
    y[left] = reflected
    out[...] = y


def _digamma_piece(x: NDArray, out: NDArray) -> None:
    with np.errstate(all="ignore"):
        left = x < -0.5
        y = _either(np.where(left, -x, x), _digamma_stirling, _digamma_shifted)
        x = x[left]
        beyond = x - np.rint(x)
        reflected = y[left] - 1 / x - np.pi / np.tan(np.pi * beyond)
        reflected[beyond == 0] = np.nan
    y[left] = reflected
    out[...] = y


def _either(x: NDArray, if_large: Callable[[NDArray], NDArray], otherwise: Callable[[NDArray], NDArray]) -> NDArray:
    large = x >= LARGE
    if not large.any():
        return otherwise(x)
    y = np.empty_like(x)
    y[large] = if_large(x[large])
    y[~large] = otherwise(x[~large])
    return y


def _lgamma_stirling(x: NDArray) -> NDArray:
    r = 1 / x
    tail = _horner([b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1)], r * r) * r
    return (x - 0.5) * (np.log(x) - 1) + (HALF_LOG_2PI - 0.5) + tail


def _digamma_stirling(x: NDArray) -> NDArray:
    r = 1 / x
    tail = _horner([b / (2 * k) for k, b in enumerate(BERNOULLI, 1)], r * r) * r * r
    return np.log(x) - 0.5 * r - tail


def _lgamma_shifted(x: NDArray) -> NDArray:
    """-1/2 <= x < 10: Γ(x) = Γ(2 + z) times or divided by the factors between x and 2 + z."""
    whole = np.rint(x)
    z = x - whole  # exact
    factor = np.where(whole == 1, x, np.where(whole == 0, x * (1 + x), 1.0))
    y = z * _horner([ONE_MINUS_EULER, *((-1) ** k * c / k for k, c in enumerate(ZETA_MINUS_1, 2))], z)
    y -= np.log(np.abs(factor))
    product = np.ones_like(x)
    for j in range(1, LARGE - 1):
        np.multiply(product, x - j, out=product, where=whole - j >= 2)
    return y + np.log(product)


def _digamma_shifted(x: NDArray) -> NDArray:
    """-1/2 <= x < 10: ψ(x) = ψ(2 + z) plus or minus the reciprocals between x and 2 + z."""
    whole = np.rint(x)
    y = _horner([ONE_MINUS_EULER, *((-1) ** k * c for k, c in enumerate(ZETA_MINUS_1, 2))], x - whole)
    for j in range(1, LARGE - 1):
        np.add(y, 1 / (x - j), out=y, where=whole - j >= 2)
    np.subtract(y, 1 / (x + 1), out=y, where=whole < 1)
    np.subtract(y, 1 / x, out=y, where=whole < 2)
    return y


def _horner(coefficients: list[float], x: NDArray) -> NDArray:
    """coefficients[0] + coefficients[1] x + coefficients[2] x² + .."""
    y = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y *= x
        y += c
    return y
