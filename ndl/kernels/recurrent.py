"""What the recurrent kernels share: which rows belong to which step, and the products over all steps at once.

Sequences are *packed*: x (N, I) holds the rows of step 0, then those of step 1, …; ``sizes[t]`` sequences are as long as
to have a step t, the longest first, so the rows of step t are the first ``sizes[t]`` sequences. A batch of equal lengths
is the special case of equal sizes.

Inside, a step's values are a matrix (features, sequences), the transpose of what x and y look like. Then every gate is
one contiguous block, and the product of the loop is W h with the long side of W first, which OpenBLAS does in two thirds
of the time of h Wᵀ, and with W cut into pieces in little more than half of it (measured for 1024 x 256 and 32 sequences:
0.15, 0.18 and 0.27 ms). All steps of one quantity lie one
after the other in one flat array; ``Share.blocks`` shows it as a list of matrices.

Only W_hh h has to wait for the step before. So outside the loop, in one product each over all steps:

    A = W_ih xᵀ + b          dW_ih = dA x          dW_hh = dA h_before          dx = dAᵀ W_ih

Sequences do not know each other, so a batch is cut into shares, each of which runs through all steps on a thread of its
own; the gradients of the weights are added up at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ndl.kernels.short_products import SHORT
from ndl.kernels.threads import get_num_threads, parallel_for

__all__ = [
    "Share",
    "added",
    "columns",
    "cut",
    "for_each_share",
    "in_pieces",
    "input_gradients",
    "input_products",
    "recurrent_gradient",
    "resized",
    "side_by_side",
    "state_before",
    "times",
]

FEWEST_ROWS = 8  # of a piece of W: below, the calls cost more than they save
FEWEST = 8  # sequences of a share: with fewer, the products are no faster than they were with twice as many
WORTH_A_THREAD = 2**20  # multiplications of a share in one step: about 20 microseconds


class Share:
    """Sequences ``first`` to ``last`` - 1 of a packed batch.

    Attributes:
        sizes: how many of them have a step t, for each t that at least one of them has.
        rows: the slice of the packed rows that step t has.
        walk: (t, the step before it or None) for all steps, in the order in which they are computed.
        total: number of rows in all; offset: that of the shares before this one.
        columns: where each step begins among the share's own rows, and their end.
        whole: whether these are all sequences; equal: whether all are equally long; batch: the number of sequences
            outside, if all of those are equally long, else None.
    """

    def __init__(self, sizes: Sequence[int], first: int, last: int, reverse: bool) -> None:
        self.first, self.last, self.reverse = first, last, reverse
        self.offset = 0
        self.sizes: list[int] = []
        self.rows: list[slice] = []
        start = 0
        for size in sizes:
            if 0 < size <= first:
                break
            n = min(size, last) - first
            self.sizes.append(n)
            self.rows.append(slice(start + first, start + first + n))
            start += size
        self.columns = [0, *np.cumsum(self.sizes).tolist()]
        self.total = self.columns[-1]
        steps = list(range(len(self.sizes)))
        if reverse:
            steps.reverse()
        self.walk: list[tuple[int, int | None]] = list(zip(steps, [None, *steps]))
        self.whole = first == 0 and last == max(sizes, default=0)
        self.equal = self.sizes[0] == self.sizes[-1]
        self.batch = sizes[0] if min(sizes) == max(sizes) else None

    def part(self, flat: np.ndarray, features: int) -> np.ndarray:
        """The share's part of a flat array of all shares."""
        return flat[features * self.offset : features * (self.offset + self.total)]

    def blocks(self, flat: np.ndarray, features: int) -> list[np.ndarray]:
        """The share's part as matrices (features, sizes[t])."""
        return self.cut(self.part(flat, features), features)

    def cut(self, part: np.ndarray, features: int) -> list[np.ndarray]:
        """The same of a flat array that holds nothing but the share's part."""
        return [part[features * a : features * b].reshape(features, b - a) for a, b in pairwise(self.columns)]

    def runs(self, longest: int) -> Iterator[list[int]]:
        """The steps of the way back, in runs of neighbours with equally many sequences."""
        run: list[int] = []
        for t, _ in reversed(self.walk):
            if run and (len(run) == longest or self.sizes[t] != self.sizes[run[0]]):
                yield run
                run = []
            run.append(t)
        yield run

    def take(self, x: np.ndarray, ones: bool = False) -> np.ndarray:
        """The share's rows of x, with a one beside each where asked for: (N, I) -> (n, I) or (n, I + 1)."""
        if self.whole and not ones:
            return x
        taken = np.empty((self.total, x.shape[1] + ones), x.dtype)
        taken[:, x.shape[1] :] = 1
        for outside, inside in self._places(x, taken[:, : x.shape[1]]):
            inside[...] = outside
        return taken

    def put(self, part: np.ndarray, out: np.ndarray) -> None:
        """The share's rows (n, K) to their places in out (N, K)."""
        for outside, inside in self._places(out, part):
            outside[...] = inside

    def turned(self, x: np.ndarray) -> np.ndarray:
        """The share's rows of x (N, K) as matrices (K, sizes[t]), flat, one after the other."""
        flat = np.empty(x.shape[1] * self.total, x.dtype)
        for outside, inside in self._matrices(x, flat):
            inside[...] = outside
        return flat

    def turn_back(self, flat: np.ndarray, out: np.ndarray) -> None:
        """The other way: to their places in out (N, K)."""
        for outside, inside in self._matrices(out, flat):
            outside[...] = inside

    def _places(self, x: np.ndarray, part: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The share's rows among all rows x and among its own, as views: one pair of them if the rows are regular."""
        if self.whole:
            return [(x, part)]
        if self.batch:
            T, K = len(self.sizes), x.shape[1]
            outside = x.reshape(T, self.batch, K)[:, self.first : self.last]
            return [(outside, part.reshape(T, self.last - self.first, K))]
        return [(x[rows], part[a:b]) for rows, a, b in zip(self.rows, self.columns[:-1], self.columns[1:])]

    def _matrices(self, x: np.ndarray, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The same, turned, beside the matrices in ``flat``."""
        if self.batch:
            T, n, K = len(self.sizes), self.last - self.first, x.shape[1]
            outside = x.reshape(T, self.batch, K)[:, self.first : self.last]
            return [(outside.transpose(0, 2, 1), flat.reshape(T, K, n))]
        return [(x[rows].T, matrix) for rows, matrix in zip(self.rows, self.cut(flat, x.shape[1]))]

    def previous(self, y: np.ndarray, h0: np.ndarray | None) -> np.ndarray:
        """The state before each step: y (N, P), h0 (B, P), zeros if None -> (n, P)."""
        before = np.empty((self.total, y.shape[1]), y.dtype)
        if self.batch:
            T, n, P = len(self.sizes), self.last - self.first, y.shape[1]
            inside, outside = before.reshape(T, n, P), y.reshape(T, self.batch, P)[:, self.first : self.last]
            first = -1 if self.reverse else 0
            inside[first] = 0 if h0 is None else h0[self.first : self.last]
            if self.reverse:
                inside[:-1] = outside[1:]
            else:
                inside[1:] = outside[:-1]
            return before
        back = 1 if self.reverse else -1
        for t, n in enumerate(self.sizes):
            known = 0
            place = before[self.columns[t] : self.columns[t + 1]]
            if 0 <= t + back < len(self.sizes):
                known = min(n, self.sizes[t + back])
                start = self.rows[t + back].start
                place[:known] = y[start : start + known]
            place[known:] = 0 if h0 is None else h0[self.first + known : self.first + n]
        return before


def cut(sizes: Sequence[int], reverse: bool, products: int) -> list[Share]:
    """The shares of a batch; ``products`` is how many multiplications one sequence takes in one step."""
    batch = max(sizes, default=0)
    n = min(get_num_threads(), batch // FEWEST, batch * products // WORTH_A_THREAD)
    edges = [batch * i // max(1, n) for i in range(max(1, n) + 1)]
    found = [Share(sizes, a, b, reverse) for a, b in pairwise(edges)]
    for before, share in pairwise(found):
        share.offset = before.offset + before.total
    return found


def for_each_share(shares: list[Share], body: Callable[[Share], Any]) -> list[Any]:
    """``body`` of every share, all at once; the results in order."""
    found = parallel_for(len(shares), lambda start, stop: [body(share) for share in shares[start:stop]])
    return [result for results in found for result in results]


def added(parts: list[tuple]) -> tuple:
    """The gradients of the weights, one from each share, added up; None where there is none."""
    total, *others = parts
    for part in others:
        for whole, own in zip(total, part):
            if whole is not None:
                whole += own
    return total


def input_products(
    share: Share, x: np.ndarray, W: np.ndarray, b: np.ndarray | None, A: np.ndarray, height: int | None = None
) -> None:
    """A_t = W x_t + b for all steps: x (N, I), W (G, I), b (G) -> the share's part of the flat A.

    ``height`` is that of a step's matrix in A, where it has more rows than those G, which are the first.
    The bias is one more column of W, with a one beside each x: cheaper than to add it.
    """
    rows = share.take(x, ones=b is not None)  # (n, I + 1)
    if b is not None:
        W = np.concatenate([W, b[:, None]], 1)
    G, T, n = len(W), len(share.sizes), share.sizes[0]
    height = height or G
    if share.equal:  # the steps are one stack of matrices
        stack = share.part(A, height).reshape(T, height, n)
        np.matmul(W, rows.reshape(T, n, rows.shape[1]).transpose(0, 2, 1), out=stack[:, :G])
        return
    columns = W @ rows.T  # (G, n)
    for block, start, stop in zip(share.blocks(A, height), share.columns[:-1], share.columns[1:]):
        block[:G] = columns[:, start:stop]


def side_by_side(blocks: list[np.ndarray], out: np.ndarray | None = None) -> np.ndarray:
    """The matrices of all steps as one: (G, sizes[t]) each -> (G, n)."""
    return np.concatenate(blocks, 1, out)


def input_gradients(
    share: Share, dA: np.ndarray, x: np.ndarray, W: np.ndarray, bias: bool, dx: np.ndarray | None, need_dW: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The other way: dA (G, n) -> (dW (G, I), db (G)); dx (N, I) is written to, if given."""
    if dx is not None:
        if share.whole:
            np.matmul(dA.T, W, out=dx)  # (n, I)
        else:
            share.put(dA.T @ W, dx)
    if not need_dW:
        return None, None
    return dA @ share.take(x), dA @ np.ones(share.total, dA.dtype) if bias else None


def recurrent_gradient(share: Share, dA: np.ndarray, y: np.ndarray, h0: np.ndarray | None) -> np.ndarray:
    """dW_hh = Σ_t dA_t h_{t−1}ᵀ: (G, n), (N, P) -> (G, P)."""
    return dA @ share.previous(y, h0)


def columns(state: np.ndarray | None, share: Share, features: int, dtype: np.dtype) -> np.ndarray:
    """The share's part of a state (B, K) as (K, b): zeros where there is none."""
    if state is None:
        return np.zeros((features, share.last - share.first), dtype)
    return state[share.first : share.last].T


def in_pieces(W: np.ndarray, n: int) -> np.ndarray:
    """W (R, K) as (pieces, r, K), so small that OpenBLAS multiplies them with (K, n) as they are.

    For larger matrices it makes a copy of W first, at every step anew (see ``ndl.kernels.short_products``).
    """
    R, K = W.shape
    most = SHORT // max(1, K * n)
    r = next((r for r in range(min(most, R), FEWEST_ROWS - 1, -1) if R % r == 0), R)
    return W.reshape(R // r if r else 1, r, K)


def times(pieces: np.ndarray, h: np.ndarray, out: np.ndarray) -> np.ndarray:
    """out = W h: (pieces, r, K), (K, n) -> (R, n)."""
    np.matmul(pieces, h, out=out.reshape(*pieces.shape[:2], h.shape[1]))
    return out


def resized(state: np.ndarray, n: int, source: np.ndarray, sink: np.ndarray) -> np.ndarray:
    """The state (K, m) for the n sequences of the next step.

    Those that end here are put into ``sink`` (K, B), those that begin are taken from ``source`` (K, B).
    """
    m = state.shape[1]
    if n == m:
        return state
    if n < m:
        sink[:, n:m] = state[:, n:]
        return np.ascontiguousarray(state[:, :n])
    return np.ascontiguousarray(np.concatenate([state, source[:, m:n]], 1))


def state_before(states: list[np.ndarray], t: int | None, n: int, start: np.ndarray) -> np.ndarray:
    """The state that the first n sequences had before a step: after step t, or in ``start`` (K, B) if they began."""
    if t is None:
        return start[:, :n]
    m = states[t].shape[1]
    return states[t][:, :n] if m >= n else np.concatenate([states[t], start[:, m:n]], 1)
