"""Kernels in pieces: choices and clearing by bits, sums, rows that meet a broadcast operand."""

import numpy as np
import pytest

from ndl.kernels import pieces
from ndl.kernels.pieces import in_pieces, keep_bits, long_rows, row_of, select, sum_in_pieces


def values(n: int, dtype: type, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    x[::7], x[::11], x[::13], x[::17] = np.nan, np.inf, -np.inf, 0
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_select_and_keep_bits_are_exact_and_may_write_to_their_operands(dtype: type) -> None:
    a, b = values(1000, dtype), values(1000, dtype, 1)[::-1].copy()
    mask = np.random.default_rng(2).random(1000) < 0.5
    for out in (np.empty_like(a), a.copy(), b.copy()):
        left, right = (out if np.array_equal(out, v, equal_nan=True) else v for v in (a, b))
        select(mask, left, right, out)
        np.testing.assert_array_equal(out, np.where(mask, a, b))
    kept = a.copy()
    keep_bits(kept, mask, kept)
    np.testing.assert_array_equal(kept, np.where(mask, a, 0))


@pytest.mark.parametrize("n_bytes", [64, 1 << 20])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_sum_in_pieces_is_the_sum(n_bytes: int, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", n_bytes)
    monkeypatch.setattr(pieces, "GRAIN", 100)
    x = np.random.default_rng(0).random((13, 31)).astype(dtype)
    found = sum_in_pieces(lambda a, b: a.dot(b), x, x.T.copy().T)
    np.testing.assert_allclose(found, np.square(x.astype(float)).sum(), rtol=1e-6)
    assert sum_in_pieces(lambda a: a.sum(), x[:0]) == 0


def test_the_pieces_size_may_change_between_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.full(5000, -1.0)
    for n_bytes in (64, 1 << 20, 64):
        monkeypatch.setattr(pieces, "PIECE_BYTES", n_bytes)
        (y,) = in_pieces(lambda x, y: np.maximum(x, row_of(2, x), out=y), x)
        assert (y == 2).all()


def test_long_rows_changes_no_number_and_puts_the_buffer_back() -> None:
    x, column = np.random.default_rng(0).standard_normal((5, 700)), np.arange(5.0)[:, None]
    before = np.getbufsize()
    with long_rows():
        assert np.getbufsize() == pieces.LONG_ROW
        y = x * column
    assert np.getbufsize() == before
    np.testing.assert_array_equal(y, x * column)
    with pytest.raises(ValueError, match="here"), long_rows():
        raise ValueError("here")
    assert np.getbufsize() == before
