"""The error function, its complement and its inverse: NumPy has none of them.

    erf x = 2/sqrt(pi) ∫_0^x e^(-t²) dt,      erfc x = 1 - erf x,      erfinv(erf x) = x

**erf and erfc** are tables with short Taylor series between the entries. With the nearest node x0 = i/256 and
h = x - x0, |h| <= 1/512, and D(x0) = 2/sqrt(pi) e^(-x0²):

    erf x = erf x0 + D(x0) h S,    S = 1/h ∫_0^h e^(-2 x0 t - t²) dt

With u = x0 h and w = h², expanding both exponentials and integrating term by term,

    S = Σ_k Σ_n  (-2u)^n (-w)^k / (n! k! (n + 2k + 1)),

a polynomial of which few terms matter. No case distinction is needed, which is what makes it fast in NumPy:
the classical rational approximations (W. J. Cody, Math. Comp. 23, 1969) change formula three times on the
way, and an exponential besides. x0 is found by adding a number so large that the sum has no bits below
1/256; those bits that are left are also i.

Nodes and slopes are computed here, at the first call, to 20 digits, and rounded once.

==========  =======  =================================  ========================  ===============
            dtype    largest error found                cost on one core          tables
==========  =======  =================================  ========================  ===============
``erf``     float64  1.5 units in the last place        10 ns a number            8 ms, once
``erf``     float32  1.9                                4.5 ns                    the same
``erfc``    float64  1.7, down to the smallest results  24 ns                     23 ms, once
``erfinv``  float64  2.0                                110 ns                    both
==========  =======  =================================  ========================  ===============

erfc and erfinv of float32, and everything of float16, is computed in the larger dtype and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.elementwise import apply_in_pieces
from ndl.kernels.workspace import scratch

__all__ = ["erf", "erfc", "erfinv"]

PI_50 = 314159265358979323846264338327950288419716939937510  # π 10**50
# Nodes per unit; where the table ends (beyond it the result is 1 or 0); its length, a power of two, so that a
# mask takes the index out of a float's bits, and a NaN's bits give an index inside.
ERF_NODES, ERF_END, ERF_ENTRIES = 256, 6, 2048
ERFC_NODES, ERFC_END, ERFC_ENTRIES = 128, 27.25, 4096
WINITZKI = 0.147
ONE, ENOUGH = 1 << 100, 1 << 30  # fixed point with 100 bits, of which 70 are right
I8 = np.dtype(np.int64)


def erf(x: NDArray, out: NDArray | None = None) -> NDArray:
    """erf x, element by element. x: float16, float32 or float64, any shape; out may be x."""
    return apply_in_pieces(_erf_piece, x, out)


def erfc(x: NDArray, out: NDArray | None = None) -> NDArray:
    """1 - erf x without the cancellation: right to the last digits also where it is 1e-300."""
    return apply_in_pieces(_erfc_piece, x, out, work=np.float64)


def erfinv(y: NDArray, out: NDArray | None = None) -> NDArray:
    """The x with erf x = y; ±inf for y = ±1, NaN beyond.

    Winitzki's formula (2008) is right to a percent or better; each Halley step triples the number of right
    digits. With g = (erf x - y) / erf'(x) and erf'' = -2 x erf', the step is x <- x - g / (1 + x g). For
    |y| > 1/2 the difference is taken between complements, erfc x and 1 - |y|, the second of which is exact.
    """
    return apply_in_pieces(_erfinv_piece, y, out, work=np.float64)


def _erf_piece(x: NDArray, out: NDArray) -> None:
    value, slope = _erf_table(x.dtype)
    terms = _terms(4, 2, 0) if x.dtype == np.float64 else []
    y, step = _nearest_node(x, value, slope, ERF_NODES, ERF_END, terms)
    y += step
    np.copysign(y, x, out=out)


def _erfc_piece(x: NDArray, out: NDArray) -> None:
    value, slope = _erfc_table()
    y, step = _nearest_node(x, value, slope, ERFC_NODES, ERFC_END, _terms(10, 8, 4, 0))
    y -= step
    np.subtract(2.0, y, out=y, where=x < 0)  # erfc(-x) = 2 - erfc x
    out[...] = y


def _nearest_node(
    x: NDArray, value: NDArray, slope: NDArray, nodes: int, end: float, terms: list[list[float]]
) -> tuple[NDArray, NDArray]:
    """value[i] and the step D(x0) h S from there to |x|: two (n,) scratch arrays."""
    n, dtype = x.size, x.dtype
    a, b, u, w, s = scratch("erf", (5, n), dtype)
    index = scratch("erf.index", (n,), I8)
    np.abs(x, out=a)
    np.minimum(a, dtype.type(end), out=a)
    # 1.5 * 2**52 (2**23 for float32) has units in its last bit; divided by the nodes, steps of one node.
    large = dtype.type(1.5 * 2.0 ** np.finfo(dtype).nmant / nodes)
    np.add(a, large, out=b)
    bits = b.view(f"i{dtype.itemsize}")
    np.copyto(index, bits)
    index &= value.size - 1
    b -= large  # x0
    a -= b  # h, exact
    if len(terms) == 0:
        np.multiply(a, dtype.type(-1 / 3), out=s)
        s -= b
        s *= a  # S - 1 = -u - w/3
    else:
        np.multiply(b, a, out=u)
        np.multiply(a, a, out=w)
        _polynomial(u, w, terms, s, b)  # S - 1
    np.take(slope, index, out=b, mode="clip")
    a *= b
    s *= a
    s += a  # D(x0) h S
    np.take(value, index, out=b, mode="clip")
    return b, s


def _polynomial(u: NDArray, w: NDArray, terms: list[list[float]], out: NDArray, inner: NDArray) -> None:
    """out = Σ_k w^k (Σ_n terms[k][n] u^n) - 1, by Horner's rule in w and, for each w, in u."""
    out.fill(0)
    for k, row in reversed(list(enumerate(terms))):
        if len(row) == 1:
            if k:
                out += out.dtype.type(row[0])
        else:
            np.multiply(u, u.dtype.type(row[-1]), out=inner)
            for c in row[-2:0:-1]:
                inner += inner.dtype.type(c)
                inner *= u
            if k:
                inner += inner.dtype.type(row[0])
            out += inner
        if k:
            out *= w


@lru_cache
def _terms(*degrees: int) -> list[list[float]]:
    """The coefficients of u^n w^k in S: [k][n], for n up to degrees[k]."""

    def coefficient(n: int, k: int) -> float:
        return (-2) ** n * (-1) ** k / (math.factorial(n) * math.factorial(k) * (n + 2 * k + 1))

    return [[coefficient(n, k) for n in range(degree + 1)] for k, degree in enumerate(degrees)]


def _erfinv_piece(y: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    a = np.abs(y)
    x = np.empty_like(a)
    inner = a <= 0.5  # NaN is not
    outer = ~inner
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log1p(-(a[inner] ** 2))
        x[inner] = _solve(a[inner], log, lambda x, a: erf(x) - a, steps=2)
        log = np.log((1 - a[outer]) * (1 + a[outer]))
        x[outer] = _solve(a[outer], log, lambda x, a: (1 - a) - erfc(x), steps=3)
    x[a == 1] = np.inf
    np.copysign(x, y, out=out)


def _solve(a: NDArray, log: NDArray, excess: Callable[[NDArray, NDArray], NDArray], steps: int) -> NDArray:
    """erfinv a for a >= 0. log: log(1 - a²); excess(x, a): erf x - a, by whichever way keeps its digits."""
    half = 2 / (np.pi * WINITZKI) + log / 2
    # sqrt(half² - log / WINITZKI) - half, multiplied out because it cancels for small a
    x = np.sqrt(-log / WINITZKI / (np.sqrt(half * half - log / WINITZKI) + half))
    for _ in range(steps):
        g = excess(x, a) * (0.5 * np.sqrt(np.pi)) * np.exp(x * x)
        x -= g / (1 + x * g)
    return x


@lru_cache
def _erf_table(dtype: np.dtype) -> tuple[NDArray, NDArray]:
    """erf x_i and D(x_i), padded to ERF_ENTRIES; summed up from erf 0 = 0."""
    if dtype == np.float32:
        value, slope = _erf_table(np.dtype(np.float64))
        return value.astype(dtype), slope.astype(dtype)
    bits = 200
    slopes, integrals = _nodes(ERF_NODES, ERF_END, bits)
    values = accumulate(integrals[:-1], initial=0)
    return _rounded(values, bits, ERF_ENTRIES), _rounded(slopes, bits, ERF_ENTRIES)


@lru_cache
def _erfc_table() -> tuple[NDArray, NDArray]:
    """erfc x_i and D(x_i), padded to ERFC_ENTRIES; summed down from the end, where erfc x rounds to 0."""
    bits = 1200  # the smallest float64 is 2**-1074
    slopes, integrals = _nodes(ERFC_NODES, ERFC_END, bits)
    values = list(accumulate(reversed(integrals[:-1]), initial=0))[::-1]
    return _rounded(values, bits, ERFC_ENTRIES), _rounded(slopes, bits, ERFC_ENTRIES)


def _nodes(nodes: int, end: float, bits: int) -> tuple[list[int], list[int]]:
    """D(x_i) at x_i = i / nodes <= end, and the integral of D from each node to the next, times 2**bits.

    In whole numbers: they have as many digits as are needed, and dividing two of them rounds correctly.
    """
    slope = math.isqrt((4 * 10**50 << 2 * bits) // PI_50)
    shrink, ratio = _exp_minus(1, nodes**2), _exp_minus(2, nodes**2)
    slopes, integrals = [], []
    for i in range(int(end * nodes) + 1):
        slopes.append(slope)
        integrals.append(slope * _mean(i, nodes) // (nodes * ONE))
        slope = slope * shrink // ONE  # e^(-x_{i+1}²) = e^(-x_i²) e^(-(2i+1)h²)
        shrink = shrink * ratio // ONE
    return slopes, integrals


def _exp_minus(p: int, q: int) -> int:
    """e^(-p/q), times ONE."""
    term, total, n = ONE, 0, 0
    while abs(term) > 1:
        n += 1
        total += term
        term = -term * p // (q * n)
    return total


def _mean(i: int, nodes: int) -> int:
    """1/h ∫_0^h e^(-2xt - t²) dt for x = i h and h = 1 / nodes, times ONE.

    f = e^(-2xt - t²) has f' = -2 (x + t) f, so its Taylor coefficients obey
    (n + 1) f_{n+1} = -2 (x f_n + f_{n-1}); the terms here are f_n h^n.
    """
    before, term, total, n = 0, ONE, 0, 0
    while abs(term) + abs(before) > ENOUGH:
        n += 1
        total += term // n
        before, term = term, -2 * (i * term + before) // (nodes**2 * n)
    return total


def _rounded(values: Iterable[int], bits: int, entries: int) -> NDArray[np.float64]:
    """values / 2**bits, with zeros behind."""
    table = np.zeros(entries)
    one = 1 << bits
    rounded = [v / one for v in values]
    table[: len(rounded)] = rounded
    return table
