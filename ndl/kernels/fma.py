"""x a + b rounded once: the fused multiply-add that NumPy does not have.

PyTorch's vector kernels use the processor's instruction for it, and a number that is rounded twice differs
in its last digit. So whoever wants PyTorch's numbers to the last bit has to round once, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fused_multiply_add", "scale_and_shift"]

SPLIT = 2.0**27 + 1


def fused_multiply_add(x: NDArray, a: float, b: float) -> None:
    """x <- x a + b, in place. x: any shape, float32 or float64; a and b are numbers of x's dtype.

    float32: the product is exact in float64; wrong only where the float64 sum falls within 2**-29 of a tie.

    float64: the product's rounding error (Dekker, "A floating-point technique for extending the available
    precision", 1971, with Veltkamp's splitting into halves of 26 bits) and the sum's (Knuth's two-sum) are
    computed exactly and added at the end. About ten passes over x. |x a| must stay below 2**996.
    """
    a, b = float(a), float(b)
    if x.dtype == np.float32:
        x[...] = x.astype(np.float64) * a + b
        return
    high = x * SPLIT
    high -= high - x
    low = x - high
    a_high = a * SPLIT - (a * SPLIT - a)
    a_low = a - a_high
    product = x * a
    error = ((high * a_high - product) + high * a_low + low * a_high) + low * a_low
    total = product + b
    back = total - product
    error += (product - (total - back)) + (b - back)
    np.add(total, error, out=x)


def scale_and_shift(x: NDArray, a: float, b: float) -> None:
    """The same, by the cheapest way that rounds once: with a = 1 or b = 0 plain NumPy does."""
    if a != 1 and b != 0:
        fused_multiply_add(x, a, b)
        return
    if a != 1:
        x *= x.dtype.type(a)
    x += x.dtype.type(b)
