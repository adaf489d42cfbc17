"""The plain recurrent network over whole sequences; ``ndl.nn.rnn`` has the formulas, ``ndl.kernels.recurrent`` the
layout."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ndl.kernels.pointwise import keep_nonzero
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
    times,
)
from ndl.kernels.workspace import scratch

__all__ = ["Weights", "rnn_backward", "rnn_forward"]


class Weights(NamedTuple):
    """W_ih (H, I), W_hh (H, H), b (H) the sum of both biases."""

    W_ih: np.ndarray
    W_hh: np.ndarray
    b: np.ndarray | None


def rnn_forward(
    x: np.ndarray, h0: np.ndarray | None, weights: Weights, relu: bool, shares: list[Share]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, I), h0 (B, H) -> y (N, H), h_n (B, H), and all states h, flat."""
    W_ih, W_hh, b = weights
    H, N, B, dtype = len(W_hh), len(x), shares[-1].last, x.dtype
    kept, y, h_n = np.empty(H * N, dtype), np.empty((N, H), dtype), np.empty((B, H), dtype)

    def run(share: Share) -> None:
        input_products(share, x, W_ih, b, kept)
        states = share.blocks(kept, H)
        source, sink = columns(h0, share, H, dtype), columns(h_n, share, H, dtype)
        h, width = source[:, :0], -1
        for t, t_before in share.walk:
            n = share.sizes[t]
            if width != n:
                width = n
                products, W = np.empty((H, n), dtype), in_pieces(W_hh, n)
            h = resized(h, n, source, sink)
            a = states[t]  # (H, n): W_ih x + b, soon the state
            if h0 is not None or t_before is not None:
                a += times(W, h, products)
            h = np.maximum(a, 0, out=a) if relu else np.tanh(a, out=a)
            y[share.rows[t]] = h.T
        sink[:, : h.shape[1]] = h

    for_each_share(shares, run)
    return y, h_n, kept


def rnn_backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    x: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray | None,
    weights: Weights,
    relu: bool,
    kept: np.ndarray,
    shares: list[Share],
    need_dx: bool,
    need_dh0: bool,
    need_dW: bool,
) -> tuple:
    """dy (N, H), dh_n (B, H) -> dx (N, I), dh0 (B, H), and the gradients of W_ih, W_hh and b."""
    W_ih, W_hh, b = weights
    H, B, dtype = len(W_hh), shares[-1].last, x.dtype
    dx = np.empty_like(x) if need_dx else None
    dh0 = np.empty((B, H), dtype)

    def run(share: Share) -> tuple:
        states, dA = share.blocks(kept, H), scratch("recurrent dA", (H, share.total), dtype)
        source, sink = columns(dh_n, share, H, dtype), columns(dh0, share, H, dtype)
        dh = np.empty((H, 0), dtype)
        width: int | None = None
        for t, t_before in reversed(share.walk):
            n = share.sizes[t]
            need_plan, width = width != n, n
            if need_plan:
                WT = in_pieces(W_hh.T, n)
            dh = resized(dh, n, source, sink)
            if dy is not None:
                dh += dy[share.rows[t]].T  # (H, n)
            h = states[t]
            if relu:
                da = keep_nonzero(dh, h)
            else:
                da = h * h
                np.subtract(1, da, out=da)  # tanh′ = 1 − h²
                da *= dh
            dA[:, share.columns[t] : share.columns[t + 1]] = da
            if t_before is not None or need_dh0:
                times(WT, da, dh)
        sink[:, : dh.shape[1]] = dh
        dW_ih, db = input_gradients(share, dA, x, W_ih, b is not None, dx, need_dW)
        return dW_ih, recurrent_gradient(share, dA, y, h0) if need_dW else None, db

    return dx, dh0, *added(for_each_share(shares, run))
