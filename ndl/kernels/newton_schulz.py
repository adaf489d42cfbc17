"""Newton-Schulz iteration: the orthogonal matrix nearest to a given one, by matrix products alone.

For G = U S Vᵀ the iteration X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X changes the singular values only, each by itself:

    X Xᵀ = U S² Uᵀ,   so   X ← U (a S + b S³ + c S⁵) Vᵀ

The polynomial s ↦ a s + b s³ + c s⁵ drives every s in (0, 1] towards 1, so X → U Vᵀ. a = 15/8, b = −5/4, c = 3/8
would converge to 1 exactly, but small s grow by 15/8 a step only. a = 3.4445, b = −4.7750, c = 2.0315 lift them much
faster and then let s wander in about [0.7, 1.2]: near enough to 1 for an optimiser, after five steps.

PyTorch computes it in bfloat16, eight bits of precision, since a GPU is fast there. Here the products are float32,
and each result is rounded as bfloat16 would be, so that the numbers are PyTorch's.
"""

from __future__ import annotations

import numpy as np

__all__ = ["newton_schulz", "round_to_bfloat16"]


def newton_schulz(g: np.ndarray, coefficients: tuple[float, float, float], steps: int, eps: float) -> np.ndarray:
    """About U Vᵀ of a matrix g = U S Vᵀ, as float32 of bfloat16's precision.

    Cost: per step three products, 2 (2 m² n + m³) operations for m ≤ n, the sides of g.
    """
    a, b, c = np.array(coefficients, np.float32)
    tall = g.shape[0] > g.shape[1]
    x = round_to_bfloat16(np.array(g.T if tall else g, np.float32))  # (m, n), m ≤ n: the smaller Gram matrix
    norm = round_to_bfloat16(np.sqrt(np.einsum("ij,ij->", x, x, dtype=np.float32)).reshape(1))
    x /= np.maximum(norm, round_to_bfloat16(np.full(1, eps, np.float32)))  # ‖x‖ ≤ 1, so every s ≤ 1
    round_to_bfloat16(x)
    for _ in range(steps):
        gram = round_to_bfloat16(x @ x.T)  # (m, m)
        polynomial = gram @ gram  # (m, m)
        polynomial *= c
        gram *= b
        polynomial += gram
        y = round_to_bfloat16(polynomial) @ x  # (m, n)
        x *= a
        y += x
        x = round_to_bfloat16(y)
    return x.T if tall else x


def round_to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Each float32 rounded to the nearest with 8 bits of precision, ties to even; in place, and returned."""
    bits = x.view(np.uint32)
    bits += ((bits >> 16) & 1) + np.uint32(0x7FFF)
    bits &= np.uint32(0xFFFF0000)
    return x
