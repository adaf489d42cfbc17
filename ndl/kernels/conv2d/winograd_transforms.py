"""Where Winograd's three matrices come from (Toom and Cook's way of multiplying polynomials).

A filter of r taps slid over m + r - 1 numbers gives m results and takes m·r multiplications. Winograd's
F(m, r) takes m + r - 1:

    y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]          d: m + r - 1 inputs,  g: r taps,  y[i] = Σ_k d[i + k] g[k]

The transposed problem is a product of polynomials. Let g(t) = Σ_k g[k] tᵏ have degree r - 1 and e(t) degree
m - 1. Their product s(t) has n = m + r - 1 coefficients, so its values at n points determine it, and its
value at a point is the product of the two values: n multiplications. One of the points is t = ∞, where the
value is the leading coefficient. In matrices: s = C [ (V_r g) ⊙ (V_m e) ], where V_k lists the first k
powers of the points and C turns values into coefficients. The sum Σ_k d[i + k] g[k] is this map transposed
with respect to e:

    s = T(g) e   ⇒   y = T(g)ᵀ d = V_mᵀ [ (V_r g) ⊙ (Cᵀ d) ]

The columns of C are, for finite points, the coefficients of Lagrange's polynomials
L_j(t) = Π_{q≠p_j} (t - q) / (p_j - q), and for ∞ those of Π_q (t - q), which is 0 at all of them. The
denominators are moved from C to V_r, which is applied to the few weights and not to the many pixels:

    Aᵀ = V_mᵀ,      G = V_r with row j divided by Π_{q≠p_j} (p_j - q),      Bᵀ = the numerators' coefficients.

The points decide the rounding error, since the numbers are multiplied with powers and differences of the
points. With 0, ±1, ±2, the textbook's choice for F(4, 3), all coefficients are small integers, which saves
additions on paper. Here the transforms are matrix products, to which 2/3 is as good as 2. The points 0,
±2/3, ±3/2 give a third of the error in F(4x4, 3x3) of random numbers with 64 channels: 1.5e-6 of the
largest output against 5e-6 (float32).

Sources: S. Winograd, "Arithmetic Complexity of Computations" (1980); A. Lavin and S. Gray, "Fast Algorithms
for Convolutional Neural Networks", arXiv 1509.09308; on the points B. Barabasz and others, "Error Analysis
and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", arXiv 1803.10986.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction


POINTS = {  # by how many values a tile has, beside 0: these and their opposites; the best of some hundred sets tried
    6: ((2, 3), (3, 2)),
    8: ((1, 2), (1, 1), (2, 1)),
}


class Transforms(NamedTuple):
    """The matrices of F(m, r), n = m + r - 1."""

    AT: np.ndarray  # (m, n), from products to results
    G: np.ndarray  # (n, r), for the taps
    BT: np.ndarray  # (n, n), for the inputs


@lru_cache(maxsize=8)
def transforms(m: int, r: int, dtype: np.dtype) -> Transforms:
    """F(m, r) for m + r - 1 = 6 or 8, computed in exact fractions and rounded at the end."""
    from fractions import Fraction  # with decimal behind it, 2 ms that only these few lines need

    points = [Fraction(0), *(Fraction(sign * a, b) for a, b in POINTS[m + r - 1] for sign in (1, -1))]
    AT = [[p**i for p in points] + [Fraction(i == m - 1)] for i in range(m)]
    G, BT = [], []
    for p in points:
        others = [q for q in points if q != p]
        denominator = Fraction(1)
        for q in others:
            denominator *= p - q
        G.append([p**k / denominator for k in range(r)])
        BT.append([*_from_roots(others), 0])
    G.append([Fraction(k == r - 1) for k in range(r)])
    BT.append(_from_roots(points))
    return Transforms(*(np.array(rows, np.float64).astype(dtype) for rows in (AT, G, BT)))


def _from_roots(roots: list[Fraction]) -> list:
    """Coefficients of Π (t - root), the constant one first."""
    coefficients: list = [1]
    for root in roots:
        shifted = [0, *coefficients]
        scaled = [*(root * c for c in coefficients), 0]
        coefficients = [a - b for a, b in zip(shifted, scaled)]
    return coefficients
