"""Indices drawn in proportion to weights, by the two methods PyTorch uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["check", "race", "search"]

MAX_CATEGORIES = 2**24


def check(weights: NDArray, n: int, replacement: bool) -> None:
    """Raises RuntimeError unless ``n`` samples can be drawn from weights of shape (C,) or (M, C)."""
    if weights.dtype.kind != "f":
        raise RuntimeError(f"multinomial expects weights of a floating dtype, but got {weights.dtype}")
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial expects weights of 1 or 2 dimensions, but got {weights.ndim}")
    categories = weights.shape[-1]
    if n <= 0:
        raise RuntimeError(f"multinomial expects to draw n > 0 samples, but got n={n}")
    if not replacement and n > categories:
        raise RuntimeError(
            f"multinomial cannot draw n={n} samples without replacement from {categories} categories; "
            "pass replacement=True or a smaller n"
        )
    if categories > MAX_CATEGORIES:
        raise RuntimeError(f"multinomial expects at most 2**24 categories, but got {categories}")
    if weights.size and not (weights.min() >= 0 and weights.max() < np.inf):  # NaN fails both
        raise RuntimeError(
            "multinomial expects weights that are not negative, infinite or NaN, "
            f"but got values from {weights.min()} to {weights.max()}"
        )
    if not (weights.sum(axis=-1) > 0).all():
        raise RuntimeError("multinomial expects weights with a positive sum, but got weights that are all 0")


def search(weights: NDArray, u: NDArray[np.float64]) -> NDArray[np.int64]:
    """With replacement: where the uniforms fall among the running sums of the weights.

    weights: (M, C), each row with a positive sum; u: (M, n) in [0, 1). Returns (M, n).

    The sums are made one after the other in the dtype of the weights (float16 in float32), as PyTorch makes
    them.
    """
    sums = np.cumsum(weights, axis=1, dtype=np.result_type(weights.dtype, np.float32))  # (M, C)
    sums /= sums[:, -1:].copy()  # the last is 1 then, so every u < 1 is found
    found = np.empty(u.shape, np.int64)
    for row, s, v in zip(found, sums.astype(np.float64), u, strict=True):
        row[...] = np.searchsorted(s, v)
    return found


def race(weights: NDArray, q: NDArray, n: int) -> NDArray[np.int64]:
    """Without replacement: the ``n`` categories with the largest w / q, the largest first.

    weights: (M, C); q: (M, C), exponential with rate 1. Returns (M, n).

    The exponential race: q / w is exponential with rate w, category i arrives first with probability w_i /
    sum w, and what happens after its arrival is again such a race among the others.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # q may be 0, or nearly
        speed = weights / q  # (M, C)
    if n == 1:
        return speed.argmax(axis=1, keepdims=True)
    return np.argsort(-speed, axis=1, kind="stable")[:, :n]
