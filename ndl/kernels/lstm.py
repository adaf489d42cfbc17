"""The LSTM over whole sequences; ``ndl.nn.lstm`` has the formulas, ``ndl.kernels.recurrent`` the layout.

A step is a few NumPy calls of some microseconds each. Two threads that do that spend much of it waiting for Python's
lock, which every call hands on, so what counts is how few calls a step has:

- The gates lie in the order o, i, f, g, and after them the cell state from before the step: one call forms i g and
  f c_before, as the product of the rows (i, f) and (g, c_before).
- All four take one tanh: σ(a) = ½ + ½ tanh(a / 2), and the halving is done once, in the weights. (Measured for 24,000
  float32: tanh 9 µs; negative, exp, add and reciprocal together 21 µs.)
- On the way back, whatever does not depend on the gradient is made beforehand, for RUN steps in one go. Then a step is

      (p, do) = (o tanh′ c, o′ tanh c) · dm      dc += p      (di, df, dg) = (i′ g, f′ c_before, g′ i) · dc

  with o′ = o − o², …, g′ = 1 − g² the slopes of σ and tanh, and dm the gradient of m = o tanh c.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
    """What the backward pass wants of the forward pass, flat, all steps one after the other: gates o, i, f, g with the
    cell state from before the step, tanh c, and (with W_hr only) h before the projection."""

    gates: np.ndarray
    tanh_c: np.ndarray
    unprojected: np.ndarray


RUN = 8  # steps whose slopes are made in one go; with 16 sequences of 256 they take 0.6 MiB, and stay in the cache


def o_first(W: np.ndarray, H: int) -> np.ndarray:
    """Rows i, f, g, o, as PyTorch has them, to o, i, f, g."""
    return np.concatenate([W[3 * H :], W[: 3 * H]])


def o_last(W: np.ndarray | None, H: int) -> np.ndarray | None:
    """The other way."""
    return None if W is None else np.concatenate([W[H:], W[:H]])


def lstm_forward(
    x: np.ndarray, h0: np.ndarray | None, c0: np.ndarray | None, weights: Weights, shares: list[Share]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Kept]:
    """x (N, I), h0 (B, P), c0 (B, H) -> y (N, P), h_n (B, P), c_n (B, H)."""
    W_ih, W_hh, b, W_hr = weights
    H, P, N, B, dtype = len(W_ih) // 4, W_hh.shape[1], len(x), shares[-1].last, x.dtype
    half = np.full(4 * H, 0.5, dtype)
    half[3 * H :] = 1  # g is a tanh as it stands
    W_ih, W_hh = half[:, None] * o_first(W_ih, H), half[:, None] * o_first(W_hh, H)
    b = None if b is None else half * o_first(b, H)
    kept = Kept(*(np.empty(k * N, dtype) for k in (5 * H, H, 0 if W_hr is None else H)))
    y, h_n, c_n = np.empty((N, P), dtype), np.empty((B, P), dtype), np.empty((B, H), dtype)

    def run(share: Share) -> None:
        input_products(share, x, W_ih, b, kept.gates, height=5 * H)
        gates, tanhs = share.blocks(kept.gates, 5 * H), share.blocks(kept.tanh_c, H)
        h_flat = scratch("recurrent h", (P * share.total,), dtype)
        hs = share.cut(h_flat, P)
        ms = hs if W_hr is None else share.blocks(kept.unprojected, H)
        h_source, c_source = columns(h0, share, P, dtype), columns(c0, share, H, dtype)
        h_sink, c_sink = columns(h_n, share, P, dtype), columns(c_n, share, H, dtype)
        h, c, width = h_source[:, :0], c_source[:, :0], -1
        order = [t for t, _ in share.walk]
        for t, t_after in zip(order, [*order[1:], None]):
            n, tanh_c = share.sizes[t], tanhs[t]
            gates_t = gates[t].reshape(5, H, n)
            if width != n:
                width = n
                h, c = resized(h, n, h_source, h_sink), resized(c, n, c_source, c_sink)
                gates_t[4] = c
                products, pair, W = np.empty((4 * H, n), dtype), np.empty((2, H, n), dtype), in_pieces(W_hh, n)
            a = gates[t][: 4 * H]  # (4H, n): W_ih x + b, soon the gates
            if h0 is not None or t != order[0]:
                a += times(W, h, products)
            np.tanh(a, out=a)
            sigmoids = a[: 3 * H]
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(gates_t[1:3], gates_t[3:5], out=pair)  # i g and f c_before
            c = np.empty((H, 0), dtype) if t_after is None else gates[t_after][4 * H :]  # where the next step wants it
            if c.shape[1] != n:
                c = np.empty((H, n), dtype)
            np.add(pair[0], pair[1], out=c)
            np.tanh(c, out=tanh_c)
            m = np.multiply(a[:H], tanh_c, out=ms[t])
            h = m if W_hr is None else np.matmul(W_hr, m, out=hs[t])  # (P, n)
        h_sink[:, : h.shape[1]], c_sink[:, : c.shape[1]] = h, c
        share.turn_back(h_flat, y)

    for_each_share(shares, run)
    return y, h_n, c_n, kept


def slopes(gates: np.ndarray, tanh_c: np.ndarray, out: np.ndarray) -> None:
    """o tanh′ c, o′ tanh c, i′ g, f′ c_before, g′ i: (m, 5, H, n), (m, H, n) -> (m, 5, H, n)."""
    a, g = gates[:, :4], gates[:, 3]
    np.multiply(a, a, out=out[:, 1:])
    np.subtract(a, out[:, 1:], out=out[:, 1:])  # σ′ = σ − σ²
    np.subtract(1, np.multiply(g, g, out=out[:, 4]), out=out[:, 4])  # tanh′ = 1 − tanh²
    out[:, 1] *= tanh_c
    out[:, 2:4] *= gates[:, 3:]
    out[:, 4] *= gates[:, 1]
    np.subtract(1, np.multiply(tanh_c, tanh_c, out=out[:, 0]), out=out[:, 0])
    out[:, 0] *= gates[:, 0]


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

    W_ih, W_hh = o_first(W_ih, H), o_first(W_hh, H)

    def run(share: Share) -> tuple:
        gates, tanhs = share.part(kept.gates, 5 * H), share.part(kept.tanh_c, H)
        dys = None if dy is None else share.cut(share.turned(dy), P)
        dh_source, dc_source = columns(dh_n, share, P, dtype), columns(dc_n, share, H, dtype)
        dh_sink, dc_sink = columns(dh0, share, P, dtype), columns(dc0, share, H, dtype)
        dh, dc = np.empty((P, 0), dtype), np.empty((H, 0), dtype)
        width: int | None = None
        das = share.cut(scratch("lstm da", gates.shape, dtype), 5 * H)  # p, do, di, df, dg
        dhs: list[Any] = [None] * len(das)
        for steps in share.runs(RUN):
            n, first, last = share.sizes[steps[0]], min(steps), max(steps)
            start, stop = share.columns[first], share.columns[last + 1]
            gates_of = gates[5 * H * start : 5 * H * stop].reshape(len(steps), 5, H, n)
            slopes_of = scratch("lstm slopes", gates_of.shape, dtype)
            slopes(gates_of, tanhs[H * start : H * stop].reshape(len(steps), H, n), slopes_of)
            need_plan, width = width != n, n
            if need_plan:
                WT = in_pieces(W_hh.T, n)
                dh, dc = resized(dh, n, dh_source, dh_sink), resized(dc, n, dc_source, dc_sink)
            for t in steps:
                da, slope = das[t].reshape(5, H, n), slopes_of[t - first]
                if dys is not None:
                    dh += dys[t]  # (P, n)
                dm = dh  # of m = o tanh c, which is h or what is projected to it
                if W_hr is not None:
                    dhs[t] = dh.copy()
                    dm = W_hr.T @ dh  # (H, n)
                np.multiply(slope[:2], dm, out=da[:2])
                dc += da[0]
                np.multiply(slope[2:], dc, out=da[2:])
                dc *= gates_of[t - first, 2]
                if need_dh0 or t != share.walk[0][0]:
                    times(WT, das[t][H:], dh)  # (P, n)
        dh_sink[:, : dh.shape[1]], dc_sink[:, : dc.shape[1]] = dh, dc
        dA = side_by_side([da[H:] for da in das], scratch("recurrent dA", (4 * H, share.total), dtype))
        dW_ih, db = input_gradients(share, dA, x, W_ih, b is not None, dx, need_dW)
        if not need_dW:
            return None, None, None, None
        dW_hh = recurrent_gradient(share, dA, y, h0)
        dW_hr = None
        if W_hr is not None:
            m = side_by_side(share.blocks(kept.unprojected, H))  # (H, n)
            dW_hr = side_by_side(dhs) @ m.T
        return dW_ih, dW_hh, db, dW_hr

    dW_ih, dW_hh, db, dW_hr = added(for_each_share(shares, run))
    return dx, dh0, dc0, o_last(dW_ih, H), o_last(dW_hh, H), o_last(db, H), dW_hr
