"""Scaled dot-product attention of arrays: softmax(scale · q kᵀ + bias) v, forward and backward.

With S = scale · q kᵀ + bias, E = e^S (0 where masked), l = Σ_j E_ij and P = E / l:

    y = (E ∘ m) v / l                      m: 1, or dropout's mask
    g = dy / l                             dv = (E ∘ m)ᵀ g
    dS = P ∘ (dP − Σ_j dP ∘ P)  =  E ∘ ((g vᵀ) ∘ m − δ),   δ_i = Σ_j (g vᵀ ∘ m) P = g_i · y_i
    dq = scale · dS k                      dk = scale · dSᵀ q                      dbias = dS

What makes it fast:

- P is never made: dividing y and dy, which have a column for each feature, is cheaper than dividing E, which has one
  for each key; and δ comes from y by the same thrift (Dao et al. 2022, FlashAttention).
- The largest score of a row is taken off only where scores are large: finding it costs twice as much as all the
  exponentials, and below e^20 nothing can overflow, nor does a gradient lose digits.
- kᵀ and vᵀ are copied, since OpenBLAS multiplies small matrices faster when the right one is not transposed.
- y and the gradients lie in memory as (…, L, heads, features), so the heads are joined without a copy.
- A share of the batch for each thread, in pieces that stay in its cache.

Cost: 4·L·S·D operations forward, 8·L·S·D backward; E is kept for the backward pass, L·S numbers for each head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["attend", "attend_backward"]

MODERATE = 20.0
PIECE_BYTES = 1 << 20
WORTH_A_THREAD = 1 << 22  # multiplications of a share


def attend(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    scale: float,
    bias: np.ndarray | None = None,
    keep: np.ndarray | None = None,
    drop: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, E, l) of q (…, L, D), k (…, S, D), v (…, S, V), all with the same leading dimensions.

    bias is added to the scores; keep is 1 where attention may look and 0 elsewhere; drop is m. Each has the shape
    (…, L, S) and the type of q. A row that may look nowhere gives 0.
    """
    batch, L, S = q.shape[:-2], q.shape[-2], k.shape[-2]
    y = heads_inside((*batch, L, v.shape[-1]), q.dtype)
    E = np.empty((*batch, L, S), q.dtype)
    l = np.empty((*batch, L, 1), q.dtype)
    ones = np.ones((S, 1), q.dtype)

    def part(at: tuple) -> None:
        e, yp, lp = E[at], y[at], l[at]
        kT = scratch("attention kT", (*e.shape[:-2], k.shape[-1], S), q.dtype)
        np.multiply(k[at].swapaxes(-1, -2), scale, out=kT)  # (…, D, S)
        np.matmul(q[at], kT, out=e)  # (…, L, S)
        exponentials(e, None if bias is None else bias[at], None if keep is None else keep[at])
        np.matmul(e, ones, out=lp)  # (…, L, 1)
        lp[lp == 0] = 1
        np.matmul(e if drop is None else e * drop[at], v[at], out=yp)  # (…, L, V)
        np.divide(yp, lp, out=yp)

    work = L * S * (q.shape[-1] + v.shape[-1])
    _for_all_parts(E, work, part)
    return y, E, l


def exponentials(s: np.ndarray, bias: np.ndarray | None, keep: np.ndarray | None) -> None:
    """e^(s + bias − m) in place of s, 0 where ``keep`` is; m is the row's largest score, or 0 if all are moderate."""
    if bias is not None:
        s += bias
    if s.size and not (s.max() <= MODERATE and s.min() >= -MODERATE):  # true for nan, too
        if keep is not None:
            np.copyto(s, -np.inf, where=keep == 0)
        m = s.max(axis=-1, keepdims=True)
        m[m == -np.inf] = 0
        s -= m
    np.exp(s, out=s)
    if keep is not None:
        s *= keep


def attend_backward(
    dy: np.ndarray,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    E: np.ndarray,
    l: np.ndarray,
    scale: float,
    drop: np.ndarray | None = None,
    need: tuple[bool, ...] = (True, True, True, False),
) -> tuple[np.ndarray | None, ...]:
    """(dq, dk, dv, dbias), None for those not needed, from what ``attend`` returned."""
    dq, dk, dv = [heads_inside(a.shape, a.dtype) if n else None for a, n in zip((q, k, v), need)]
    dbias = np.empty_like(E) if need[3] else None

    def part(at: tuple) -> None:
        e, m = E[at], None if drop is None else drop[at]
        g = dy[at] / l[at]  # (…, L, V)
        if dv is not None:
            np.matmul((e if m is None else e * m).swapaxes(-1, -2), g, out=dv[at])  # (…, S, V)
        if not (need[0] or need[1] or need[3]):
            return
        vT = scratch("attention vT", (*e.shape[:-2], v.shape[-1], v.shape[-2]), v.dtype)
        np.copyto(vT, v[at].swapaxes(-1, -2))  # (…, V, S)
        ds = np.matmul(g, vT, out=scratch("attention ds", e.shape, e.dtype))  # (…, L, S)
        if m is not None:
            ds *= m
        ds -= np.einsum("...iv,...iv->...i", g, y[at])[..., None]
        ds *= e
        if dbias is not None:
            dbias[at] = ds
        ds *= scale
        if dq is not None:
            np.matmul(ds, k[at], out=dq[at])  # (…, L, D)
        if dk is not None:
            np.matmul(ds.swapaxes(-1, -2), q[at], out=dk[at])  # (…, S, D)

    work = 2 * math.prod(E.shape[-2:]) * (q.shape[-1] + v.shape[-1])
    _for_all_parts(E, work, part)
    return dq, dk, dv, dbias


def heads_inside(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array (…, heads, L, D) that lies in memory as (…, L, heads, D)."""
    if len(shape) < 3:
        return np.empty(shape, dtype)
    *lead, heads, n, d = shape
    return np.empty((*lead, n, heads, d), dtype).swapaxes(-2, -3)


def _for_all_parts(E: np.ndarray, work: int, part: Callable[[tuple], None]) -> None:
    """``part(index)`` for indices that together cover all of E's batch; ``work``: multiplications for one matrix."""
    batch, size = E.shape[:-2], E.itemsize * E.shape[-2] * E.shape[-1]  # bytes of one matrix of scores
    if not batch:
        return part(())
    axis = next((i for i, n in enumerate(batch) if n > 1), 0)  # the one that the threads divide
    inner = math.prod(batch[axis + 1 :])

    def share(start: int, stop: int) -> None:
        for at in _pieces((stop - start, *batch[axis + 1 :]), max(1, PIECE_BYTES // max(1, size))):
            first = slice(start + at[0].start, min(stop, start + at[0].stop))
            part((*[slice(None)] * axis, first, *at[1:]))

    parallel_for(batch[axis], share, grain=max(1, WORTH_A_THREAD // max(1, work * inner)))


def _pieces(batch: tuple[int, ...], matrices: int) -> Iterator[tuple[slice, ...]]:
    """Indices of parts of ``batch`` with at most so many matrices, as far as that can be."""
    inner = math.prod(batch[1:])
    if inner <= matrices or len(batch) == 1:
        step = max(1, matrices // max(1, inner))
        for start in range(0, batch[0], step):
            yield (slice(start, start + step),)
    else:
        for i in range(batch[0]):
            for rest in _pieces(batch[1:], matrices):
                yield (slice(i, i + 1), *rest)
