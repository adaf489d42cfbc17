"""MCG31m1, the multiplicative congruential generator from which PyTorch's Dropout draws on Intel processors.

    x_{k+1} = 1132489760 x_k  mod  2**31 - 1

(P. L'Ecuyer, "Tables of linear congruential generators of different sizes and good lattice structure",
1999; it is the ``VSL_BRNG_MCG31`` of Intel's MKL.) Its outputs equal those of MKL 2024.2, from which the
values in ``tests/kernels/test_mcg31m1.py`` were taken.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["below"]

M = 2**31 - 1
A = 1132489760
PIECE = 16384


def below(p: float, seed: int, n: int) -> NDArray[np.bool_]:
    """Whether x_k / M < p, for the first ``n`` numbers of the stream from x_0 = seed mod M (1 for 0).

    Nothing here is sequential: x_k = (A**k mod M) x_0 mod M, so one table of powers serves every piece, each
    started at its own x. And modulo 2**31 - 1 the number 2**31 is 1, so the remainder is "high bits plus low
    bits"; twice, because the first sum has 32 bits.
    """
    powers = _powers(min(n, PIECE))
    limit = np.uint64(math.ceil(p * M))  # x / M < p, decided among integers
    x, leap = seed % M or 1, pow(A, PIECE, M)
    out = np.empty(n, np.bool_)
    for start in range(0, n, PIECE):
        part = out[start : start + PIECE]
        y = powers[: part.size] * np.uint64(x)  # below 2**62
        for _ in range(2):
            high = y >> np.uint64(31)
            y &= np.uint64(M)
            y += high
        np.less(y, limit, out=part)
        x = x * leap % M
    return out


def _powers(n: int) -> NDArray[np.uint64]:
    """1, A, A**2, .. mod M: (n,), twice as many with each step."""
    powers = np.ones(n, np.uint64)
    done, jump = 1, A  # jump = A**done
    while done < n:
        more = powers[done : 2 * done]
        more[...] = powers[: more.size] * np.uint64(jump) % np.uint64(M)
        done, jump = 2 * done, jump * jump % M
    return powers
