"""MCG31m1 against outputs of Intel's MKL 2024.2 (vslNewStream with VSL_BRNG_MCG31, then viRngBernoulli)."""

import hashlib

import numpy as np
import pytest

from ndl.kernels.mcg31m1 import PIECE, A, M, below


def sequence(seed: int, n: int) -> list[int]:
    """The definition, one number after the other."""
    x = [seed % M or 1]
    while len(x) < n:
        x.append(A * x[-1] % M)
    return x


def test_the_sequence_is_mkls() -> None:
    # round(vdRngUniform * M) for seed 12345
    assert sequence(12345, 8) == [
        *(12345, 467545230, 910408393, 2002913910),
        *(614477597, 1622587240, 1261926762, 1758619088),
    ]


@pytest.mark.parametrize(
    ("seed", "first", "ones", "digest"),
    [
        (1, "1001100001100010000001101100010100000000", 30024, "d473ba2e7018645d"),
        (12345, "1100100000011000101010000001100000001000", 29935, "7e9bff8c6e285c82"),
        (2**31 - 1, "1001100001100010000001101100010100000000", 30024, "d473ba2e7018645d"),
        (4_000_000_000, "0110100111000010110101001001001111001010", 29940, "ce2e02a8532f6504"),
    ],
)
def test_bernoulli_is_mkls(seed: int, first: str, ones: int, digest: str) -> None:
    drawn = below(0.3, seed, 100_000).astype(np.uint8)
    assert "".join(map(str, drawn[:40])) == first
    assert drawn.sum() == ones
    assert hashlib.sha256(drawn.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("n", [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
def test_pieces_join_to_the_one_sequence(n: int) -> None:
    x = np.array(sequence(99, max(n, 1))[:n])
    assert np.array_equal(below(0.5, 99, n), x < 0.5 * M)


def test_the_threshold_is_strict() -> None:
    x = sequence(5, 10)
    drawn = below(x[4] / M, 5, 10)
    assert drawn.tolist() == [value < x[4] for value in x]
    assert below(1.0, 5, 1000).all()
    assert not below(0.0, 5, 1000).any()
