"""The derivatives of digamma: polygamma(n, x) = dⁿ/dxⁿ ψ(x), for n = 1, 2, ..

From ψ(x) = lim (log m - Σ_{k<=m} 1/(x + k)), differentiated n times, with s = n + 1:

    polygamma(n, x) = (-1)^s n! ζ(s, x),      ζ(s, x) = Σ_{k>=0} (x + k)^-s

The first terms are added as they stand; for the rest, from a = x + 12 on, Euler's and Maclaurin's formula
gives all digits (Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, 6.4.11 and 23.1.30):

    Σ_{k>=0} (a + k)^-s = a^(1-s) / (s - 1) + a^-s / 2 + Σ_k B_2k / (2k)! s (s+1) .. (s+2k-2) a^(1-s-2k)

Left of 1/2 the argument is reflected. Differentiating ψ(1 - x) - ψ(x) = π cot πx n times,

    polygamma(n, x) = (-1)^n polygamma(n, 1 - x) - π^(n+1) Q_n(cot πx),     Q_0(c) = c,   Q_k+1 = -(1 + c²) Q_k′
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.elementwise import apply_in_pieces

__all__ = ["polygamma"]

BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510]  # B_2, B_4, ..
FIRST_TERMS = 12


def polygamma(n: int, x: NDArray, out: NDArray | None = None) -> NDArray:
    """The n-th derivative of digamma, element by element, n >= 1. x: a float dtype; out may be x."""
    if n < 1:
        raise ValueError(f"polygamma(n, x) needs n >= 1, but got n = {n}; digamma is the derivative number 0")
    from numpy.polynomial import Polynomial  # 4 ms that few programs need

    cotangents = Polynomial([0, 1])
    for _ in range(n):
        cotangents = -Polynomial([1, 0, 1]) * cotangents.deriv()

    def piece(x: NDArray, out: NDArray) -> None:
        with np.errstate(all="ignore"):
            left = x < 0.5
            y = _hurwitz_zeta(n + 1, np.where(left, 1 - x, x)) * ((-1) ** (n + 1) * math.factorial(n))
            if left.any():
                # cot πx repeats, and x - round(x) is exact where πx would lose its digits.
                r = x - np.rint(x)
                c = np.cos(math.pi * r) / np.sin(math.pi * r)
                np.copyto(y, (-1) ** n * y - math.pi ** (n + 1) * cotangents(c), where=left)
                np.copyto(y, math.inf if n % 2 else -math.inf, where=(r == 0) & left)  # the poles 0, -1, -2, ..
            out[...] = y

    return apply_in_pieces(piece, x, out, work=np.float64)


def _hurwitz_zeta(s: int, x: NDArray) -> NDArray:
    """ζ(s, x) for x >= 1/2."""
    total = sum((x + k) ** -float(s) for k in range(FIRST_TERMS))
    a = x + FIRST_TERMS
    term = a ** (1.0 - s)  # B_2k / (2k)! s (s+1) .. (s+2k-2) a^(1-s-2k), without B_2k
    rest = term / (s - 1) + term / (2 * a)
    for k, b in enumerate(BERNOULLI, 1):
        term = term * ((s + 2 * k - 3) * (s + 2 * k - 2) if k > 1 else s) / (2 * k * (2 * k - 1)) / (a * a)
        rest = rest + b * term
    return total + rest
