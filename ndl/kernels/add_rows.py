"""Adding rows at repeated places: ``out[index[i]] += rows[i]`` for every i, also where an index occurs again.

``out[index] += rows`` in NumPy keeps only one of the rows that go to the same place. ``np.add.at`` keeps all of them,
at 3 to 15 times the cost of what is done here:

- few numbers, or few columns: ``np.bincount`` adds weights into bins in one pass, in float64;
- an index that only grows repeats nothing: one assignment;
- wide rows: sort the index, so that equal places lie side by side. A place that occurs often sums its rows at once;
  those that occur a few times take part in as many rounds, and a round writes to each place at most once.

Cost: O(n log n) for the sort (O(n) for up to 65,536 places, where it is a radix sort), n·d additions.
"""

from __future__ import annotations

import numpy as np

OFTEN = 16  # from so many rows on, one call for one place is cheaper than a share in every round
FEW_COLUMNS = 8  # up to so many, a pass over each column beats sorting
SMALL = 8000  # numbers in all; below, calls cost more than work
SPARSE = 8  # bincount passes over all of out: too much if out has more than so many times the numbers to add


def add_rows(out: np.ndarray, index: np.ndarray, rows: np.ndarray) -> None:
    """``out[index[i]] += rows[i]``: out (r, d), index (n) in 0 … r − 1, rows (n, d) of the same type as out."""
    n, d = rows.shape
    if n == 0 or d == 0:
        return
    sparse = len(out) > SPARSE * n
    if n * d <= SMALL and not sparse and out.dtype.kind == "f":
        places = index if d == 1 else (index[:, None] * d + np.arange(d)).reshape(-1)
        out += _binned(places, rows.reshape(-1), out.size, out.dtype).reshape(out.shape)
    elif (index[1:] > index[:-1]).all():  # a mask, or every place once in order
        out[index] += rows
    elif out.dtype.kind != "f":  # bincount would round large integers
        np.add.at(out, index, rows)
    elif d == 1 and sparse:
        np.add.at(out[:, 0], index, rows[:, 0])
    elif d <= FEW_COLUMNS and not sparse:
        for j in range(d):
            out[:, j] += _binned(index, rows[:, j], len(out), out.dtype)
    else:
        _add_sorted(out, index, rows)


def _binned(places: np.ndarray, weights: np.ndarray, size: int, dtype: np.dtype) -> np.ndarray:
    return np.bincount(places, weights, minlength=size).astype(dtype, copy=False)


def _add_sorted(out: np.ndarray, index: np.ndarray, rows: np.ndarray) -> None:
    key = index.astype(np.uint16) if len(out) <= 1 << 16 else index
    order = np.argsort(key, kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(starts, append=len(ordered))
    places = ordered[starts]

    often = counts > OFTEN
    for place, start, count in zip(places[often].tolist(), starts[often].tolist(), counts[often].tolist()):
        out[place] += rows.take(order[start : start + count], axis=0).sum(0)

    rare = ~often
    starts, counts, places = starts[rare], counts[rare], places[rare]
    for k in range(int(counts.max(initial=0))):
        more = counts > k
        if not more.all():
            starts, counts, places = starts[more], counts[more], places[more]
        total = rows.take(order[starts + k], axis=0)
        total += out.take(places, axis=0)
        out[places] = total
