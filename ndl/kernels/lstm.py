"""The LSTM over whole sequences; ``ndl.nn.lstm`` has the formulas, ``ndl.kernels.recurrent`` the layout.

All four gates of a step take one tanh: σ(a) = ½ + ½ tanh(a / 2), and the halving is done once, in the weights.
(Measured for 24,000 float32: tanh 9 µs; negative, exp, add and reciprocal together 21 µs.)
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
    side_by_side,
    state_before,
    times,
)
from ndl.kernels.workspace import scratch

__all__ = ["Kept", "Weights", "lstm_backward", "lstm_forward"]


class Weights(NamedTuple):
    """W_ih (4H, I), W_hh (4H, P), b (4H) the sum of both biases, W_hr (P, H)."""

    W_ih: np.ndarray
    W_hh: np.ndarray
    b: np.ndarray | None
    W_hr: np.ndarray | None


class Kept(NamedTuple):
    """What the backward pass wants of the forward pass, flat, all steps one after the other: gates i, f, g, o, cell
    states c, tanh c, and (with W_hr only) h before the projection."""

    gates: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    unprojected: np.ndarray


def lstm_forward(
    x: np.ndarray, h0: np.ndarray | None, c0: np.ndarray | None, weights: Weights, shares: list[Share]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Kept]:
    """x (N, I), h0 (B, P), c0 (B, H) -> y (N, P), h_n (B, P), c_n (B, H)."""
    W_ih, W_hh, b, W_hr = weights
    H, P, N, B, dtype = len(W_ih) // 4, W_hh.shape[1], len(x), shares[-1].last, x.dtype
    half = np.full(4 * H, 0.5, dtype)
    half[2 * H : 3 * H] = 1  # g is a tanh as it stands
    W_ih, W_hh = half[:, None] * W_ih, half[:, None] * W_hh
    b = None if b is None else half * b
    kept = Kept(*(np.empty(k * N, dtype) for k in (4 * H, H, H, 0 if W_hr is None else H)))
    y, h_n, c_n = np.empty((N, P), dtype), np.empty((B, P), dtype), np.empty((B, H), dtype)

    def run(share: Share) -> None:
        input_products(share, x, W_ih, b, kept.gates)
        gates, cells, tanhs = share.blocks(kept.gates, 4 * H), share.blocks(kept.c, H), share.blocks(kept.tanh_c, H)
        unprojected = tanhs if W_hr is None else share.blocks(kept.unprojected, H)
        h_source, c_source = columns(h0, share, P, dtype), columns(c0, share, H, dtype)
        h_sink, c_sink = columns(h_n, share, P, dtype), columns(c_n, share, H, dtype)
        h, c, width = h_source[:, :0], c_source[:, :0], -1
        for t, t_before in share.walk:
            n = share.sizes[t]
            if width != n:
                width = n
                products, ig, W = np.empty((4 * H, n), dtype), np.empty((H, n), dtype), in_pieces(W_hh, n)
            h, c = resized(h, n, h_source, h_sink), resized(c, n, c_source, c_sink)
            a = gates[t]  # (4H, n): W_ih x + b, soon the gates
            if h0 is not None or t_before is not None:
                a += times(W, h, products)
            np.tanh(a, out=a)
            for sigmoids in (a[: 2 * H], a[3 * H :]):
                sigmoids *= 0.5
                sigmoids += 0.5
            i, f, g, o = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]  # (H, n) each
            c = np.multiply(f, c, out=cells[t])
            c += np.multiply(i, g, out=ig)
            np.tanh(c, out=tanhs[t])
            if W_hr is None:
                np.multiply(o, tanhs[t], out=h)
            else:
                np.matmul(W_hr, np.multiply(o, tanhs[t], out=unprojected[t]), out=h)  # (P, n)
            y[share.rows[t]] = h.T
        h_sink[:, : h.shape[1]], c_sink[:, : c.shape[1]] = h, c

    for_each_share(shares, run)
    return y, h_n, c_n, kept


def lstm_backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    dc_n: np.ndarray | None,
    x: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray | None,
    c0: np.ndarray | None,
    weights: Weights,
    kept: Kept,
    shares: list[Share],
    need_dx: bool,
    need_dh0: bool,
    need_dW: bool,
) -> tuple:
    """dy (N, P), dh_n (B, P), dc_n (B, H) -> dx (N, I), dh0, dc0, and the gradients of W_ih, W_hh, b and W_hr."""
    W_ih, W_hh, b, W_hr = weights
    H, P, B, dtype = len(W_ih) // 4, W_hh.shape[1], shares[-1].last, x.dtype
    dx = np.empty_like(x) if need_dx else None
    dh0, dc0 = np.empty((B, P), dtype), np.empty((B, H), dtype)

    def run(share: Share) -> tuple:
        gates, cells, tanhs = share.blocks(kept.gates, 4 * H), share.blocks(kept.c, H), share.blocks(kept.tanh_c, H)
        c_start = columns(c0, share, H, dtype)
        dh_source, dc_source = columns(dh_n, share, P, dtype), columns(dc_n, share, H, dtype)
        dh_sink, dc_sink = columns(dh0, share, P, dtype), columns(dc0, share, H, dtype)
        dh, dc, width = dh_source[:, :0], dc_source[:, :0], -1
        dA, dhs = scratch("recurrent dA", (4 * H, share.total), dtype), []
        for t, t_before in reversed(share.walk):
            n = share.sizes[t]
            if width != n:
                width = n
                slopes, da, WT = np.empty((4 * H, n), dtype), np.empty((4 * H, n), dtype), in_pieces(W_hh.T, n)
            dh, dc = resized(dh, n, dh_source, dh_sink), resized(dc, n, dc_source, dc_sink)
            if dy is not None:
                dh += dy[share.rows[t]].T  # (P, n)
            dm = dh  # of m = o tanh c, which is h or what is projected to it
            if W_hr is not None:
                dhs.append(dh.copy())
                dm = W_hr.T @ dh  # (H, n)
            a, tanh_c = gates[t], tanhs[t]
            i, f, g, o = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
            di, df, dg, do = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
            # dc += dm o (1 − tanh² c)
            np.multiply(tanh_c, tanh_c, out=di)
            np.subtract(1, di, out=di)
            di *= o
            di *= dm
            dc += di
            # The gates, and then what stands before their σ and tanh: σ′ = σ − σ², tanh′ = 1 − tanh².
            np.multiply(dm, tanh_c, out=do)
            np.multiply(dc, g, out=di)
            np.multiply(dc, i, out=dg)
            np.multiply(dc, state_before(cells, t_before, n, c_start), out=df)
            np.multiply(a, a, out=slopes)
            np.subtract(a, slopes, out=slopes)
            slope_g = slopes[2 * H : 3 * H]
            np.subtract(1, np.multiply(g, g, out=slope_g), out=slope_g)
            da *= slopes
            dA[:, share.columns[t] : share.columns[t + 1]] = da
            dc *= f
            if t_before is not None or need_dh0:
                times(WT, da, dh)  # (P, n)
        dh_sink[:, : dh.shape[1]], dc_sink[:, : dc.shape[1]] = dh, dc
        dW_ih, db = input_gradients(share, dA, x, W_ih, b is not None, dx, need_dW)
        if not need_dW:
            return None, None, None, None
        dW_hh = recurrent_gradient(share, dA, y, h0)
        dW_hr = None
        if W_hr is not None:
            m = side_by_side(share.blocks(kept.unprojected, H))  # (H, n)
            dW_hr = side_by_side(dhs if share.reverse else dhs[::-1]) @ m.T
        return dW_ih, dW_hh, db, dW_hr

    return dx, dh0, dc0, *added(for_each_share(shares, run))
