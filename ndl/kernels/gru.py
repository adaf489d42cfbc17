"""The GRU over whole sequences; ``ndl.nn.gru`` has the formulas, ``ndl.kernels.recurrent`` the layout.

As in ``ndl.kernels.lstm``, σ(a) = ½ + ½ tanh(a / 2), with the halving in the weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ndl.kernels.recurrent import (
    Share,
    added,
    columns,
    for_each_share,
    in_pieces,
    input_gradients,
    input_products,
    recurrent_gradient,
    resized,
    state_before,
    times,
)
from ndl.kernels.workspace import scratch

__all__ = ["Kept", "Weights", "gru_backward", "gru_forward"]


class Weights(NamedTuple):
    """W_ih (3H, I), W_hh (3H, H), b_ih (3H), b_hh (3H)."""

    W_ih: np.ndarray
    W_hh: np.ndarray
    b_ih: np.ndarray | None
    b_hh: np.ndarray | None


class Kept(NamedTuple):
    """What the backward pass wants of the forward pass, flat, all steps one after the other: gates r, z, n, the part
    q = W_hn h + b_hn of n's argument that r multiplies, and the states h."""

    gates: np.ndarray
    q: np.ndarray
    h: np.ndarray


def gru_forward(
    x: np.ndarray, h0: np.ndarray | None, weights: Weights, shares: list[Share]
) -> tuple[np.ndarray, np.ndarray, Kept]:
    """x (N, I), h0 (B, H) -> y (N, H), h_n (B, H)."""
    W_ih, W_hh, b_ih, b_hh = weights
    H, N, B, dtype = W_hh.shape[1], len(x), shares[-1].last, x.dtype
    half = np.full(3 * H, 0.5, dtype)
    half[2 * H :] = 1  # n is a tanh as it stands
    W_ih, W_hh = half[:, None] * W_ih, half[:, None] * W_hh
    b_q = np.zeros((H, 1), dtype)
    b = None
    if b_ih is not None and b_hh is not None:
        b, b_q = half * b_ih, b_hh[2 * H :, None]
        b[: 2 * H] += half[: 2 * H] * b_hh[: 2 * H]
    kept = Kept(*(np.empty(k * N, dtype) for k in (3 * H, H, H)))
    y, h_n = np.empty((N, H), dtype), np.empty((B, H), dtype)

    def run(share: Share) -> None:
        input_products(share, x, W_ih, b, kept.gates)
        gates, qs, states = share.blocks(kept.gates, 3 * H), share.blocks(kept.q, H), share.blocks(kept.h, H)
        source, sink = columns(h0, share, H, dtype), columns(h_n, share, H, dtype)
        h, width = source[:, :0], -1
        for t, t_before in share.walk:
            n_now = share.sizes[t]
            if width != n_now:
                width = n_now
                products, W = np.empty((3 * H, n_now), dtype), in_pieces(W_hh, n_now)
            h = resized(h, n_now, source, sink)
            a, q = gates[t], qs[t]  # (3H, n): W_ih x + b, soon the gates
            if h0 is None and t_before is None:
                q[...] = b_q
            else:
                times(W, h, products)
                a[: 2 * H] += products[: 2 * H]
                np.add(products[2 * H :], b_q, out=q)
            r, z, n = a[:H], a[H : 2 * H], a[2 * H :]  # (H, n) each
            rz = a[: 2 * H]
            np.tanh(rz, out=rz)
            rz *= 0.5
            rz += 0.5
            n += np.multiply(r, q, out=states[t])
            np.tanh(n, out=n)
            h_new = np.subtract(h, n, out=states[t])  # h = n + z (h − n)
            h_new *= z
            h_new += n
            h = h_new
            y[share.rows[t]] = h.T
        sink[:, : h.shape[1]] = h

    for_each_share(shares, run)
    return y, h_n, kept


def gru_backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    x: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray | None,
    weights: Weights,
    kept: Kept,
    shares: list[Share],
    need_dx: bool,
    need_dh0: bool,
    need_dW: bool,
) -> tuple:
    """dy (N, H), dh_n (B, H) -> dx (N, I), dh0 (B, H), and the gradients of W_ih, W_hh, b_ih and b_hh."""
    W_ih, W_hh, b_ih, _ = weights
    H, B, dtype = W_hh.shape[1], shares[-1].last, x.dtype
    dx = np.empty_like(x) if need_dx else None
    dh0 = np.empty((B, H), dtype)
    # What x's products get, W_i, has the order n, r, z; what h's get, W_h, the order r, z, q: r and z are shared.
    n_first = np.concatenate([W_ih[2 * H :], W_ih[: 2 * H]])  # (3H, I)

    def run(share: Share) -> tuple:
        gates, qs, states = share.blocks(kept.gates, 3 * H), share.blocks(kept.q, H), share.blocks(kept.h, H)
        start = columns(h0, share, H, dtype)
        source, sink = columns(dh_n, share, H, dtype), columns(dh0, share, H, dtype)
        dh = np.empty((H, 0), dtype)
        width: int | None = None
        dA = scratch("recurrent dA", (4 * H, share.total), dtype)
        for t, t_before in reversed(share.walk):
            n_now = share.sizes[t]
            need_plan, width = width != n_now, n_now
            if need_plan:
                slopes, kept_dh = np.empty((2 * H, n_now), dtype), np.empty((H, n_now), dtype)
                da, WT = np.empty((4 * H, n_now), dtype), in_pieces(W_hh.T, n_now)  # n, r, z, q
            dh = resized(dh, n_now, source, sink)
            if dy is not None:
                dh += dy[share.rows[t]].T  # (H, n)
            a, q = gates[t], qs[t]
            r, z, n = a[:H], a[H : 2 * H], a[2 * H :]
            dn, dr, dz, dq = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
            # h = n + z (h_before − n); then n = tanh(… + r q)
            np.subtract(state_before(states, t_before, n_now, start), n, out=dz)
            dz *= dh
            np.multiply(dh, z, out=kept_dh)
            np.subtract(dh, kept_dh, out=dn)
            np.multiply(n, n, out=dq)
            np.subtract(1, dq, out=dq)  # tanh′ = 1 − n²
            dn *= dq
            np.multiply(dn, q, out=dr)
            np.multiply(dn, r, out=dq)
            rz, drz = a[: 2 * H], da[H : 3 * H]
            np.subtract(rz, np.multiply(rz, rz, out=slopes), out=slopes)  # σ′ = σ − σ²
            drz *= slopes
            dA[:, share.columns[t] : share.columns[t + 1]] = da
            if t_before is not None or need_dh0:
                times(WT, da[H:], dh)
                dh += kept_dh
        sink[:, : dh.shape[1]] = dh
        dW_ih, db_ih = input_gradients(share, dA[: 3 * H], x, n_first, b_ih is not None, dx, need_dW)
        if dW_ih is None:
            return None, None, None, None
        dW_ih = np.concatenate([dW_ih[H:], dW_ih[:H]])
        dW_hh = recurrent_gradient(share, dA[H:], y, h0)
        if db_ih is None:
            return dW_ih, dW_hh, None, None
        db_rz = db_ih[H:]
        return dW_ih, dW_hh, np.concatenate([db_rz, db_ih[:H]]), np.concatenate([db_rz, dA[3 * H :].sum(1)])

    return dx, dh0, *added(for_each_share(shares, run))
