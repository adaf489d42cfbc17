"""The museum of wrong gradients: mistakes that real programs shipped, each rebuilt small, in NumPy.

An exhibit has the mistake and two checks of it: a loose one, of the kind its authors had, which passes; and a strict
one, which does not. The page docs/museum.md shows them one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


def softmax(s: Array) -> Array:
    """Along the last axis, with each row's own maximum taken off."""
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def numerical(L: Callable[[Array], float], x: Array, h: float = 1e-6) -> Array:
    """dL/dx by central differences."""
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = h
        g[i] = (L(x + step) - L(x - step)) / (2 * h)
    return g


def error(a: Array, b: Array) -> float:
    """The largest difference, relative to the largest right number, however small that is."""
    if a.shape != b.shape:
        return np.inf
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


# -- 1. An attention key gradient without its transpose ----------------------------------------------------------


def attention_backward(Q: Array, K: Array, V: Array, dY: Array, transposed: bool) -> tuple[Array, Array, Array]:
    """dQ, dK, dV of Y = softmax(Q Kᵀ / √d) V; right is dK = dSᵀ Q, wrong dS Q. All (T, d)."""
    d = Q.shape[-1]
    P = softmax(Q @ K.T / np.sqrt(d))  # (T, T)
    dP = dY @ V.T  # (T, T)
    dS = P * (dP - (dP * P).sum(-1, keepdims=True)) / np.sqrt(d)  # (T, T)
    return dS @ K, (dS.T if transposed else dS) @ Q, P.T @ dY


# -- 2. col2im with = --------------------------------------------------------------------------------------------


def windows(x: Array, k: int, stride: int) -> Array:
    """(T) → (windows, k)"""
    return np.stack([x[t : t + k] for t in range(0, len(x) - k + 1, stride)])


def col2im(columns: Array, size: int, stride: int, add: bool) -> Array:
    """What each window says about its numbers, added up where windows overlap; or, wrongly, only the last one."""
    k = columns.shape[1]
    x = np.zeros(size)
    for t, column in enumerate(columns):
        here = slice(t * stride, t * stride + k)
        x[here] = x[here] + column if add else column
    return x


# -- 3. The softmax gradient with the diagonal only, cancelled by a wrong loss -----------------------------------


def softmax_backward(p: Array, dp: Array, whole: bool) -> Array:
    """ds_i = Σ_j dp_j p_j (δ_ij − p_i); wrong: only j = i."""
    return p * (dp - (dp * p).sum(-1, keepdims=True)) if whole else p * (1 - p) * dp


def cross_entropy_slope(p: Array, t: Array, whole: bool) -> Array:
    """dL/dp of L = −Σ t log p; wrong: (p − t) / (p (1 − p)), which belongs to two classes and independent sigmoids."""
    return -t / p if whole else (p - t) / (p * (1 - p))


# -- 4. Max-pooling padded with 0, and ties doubled --------------------------------------------------------------


def max_pool(x: Array, k: int, padding: int, edge: float = -np.inf) -> Array:
    """Windows of k that do not overlap, (T) → (windows); right is to pad with −∞."""
    return windows(np.pad(x, padding, constant_values=edge), k, k).max(1)


def max_pool_backward(x: Array, dy: Array, k: int, one_winner: bool) -> Array:
    """dx without padding: dy goes to the window's maximum; wrong: to every number that equals it, in full."""
    z = windows(x, k, k)  # (windows, k)
    winners = z == z.max(1, keepdims=True)
    if one_winner:
        winners = np.arange(k) == z.argmax(1)[:, None]
    return (winners * dy[:, None]).reshape(-1)


# -- 5. Cross-entropy with an epsilon that the gradient ignores --------------------------------------------------


def cross_entropy(p: Array, t: Array, eps: float) -> float:
    """−Σ t log(p + ε)"""
    return float(-(t * np.log(p + eps)).sum())


# -- 6. im2col that assumes H = W --------------------------------------------------------------------------------


def im2col(x: Array, k: int, square: bool) -> Array:
    """(H, W) → (positions, k k); wrong: both loops run to the height."""
    H, W = x.shape
    rows, columns = H - k + 1, (H if square else W) - k + 1
    return np.stack([x[i : i + k, j : j + k].reshape(-1) for i in range(rows) for j in range(columns)])


# -- 7. A recurrent input gradient that skips the time path ------------------------------------------------------


def rnn(x: Array, W: Array, U: Array) -> Array:
    """h_t = tanh(W x_t + U h_{t−1}), (T, I) → (T, H)"""
    h = np.zeros((len(x) + 1, len(U)))
    for t in range(len(x)):
        h[t + 1] = np.tanh(W @ x[t] + U @ h[t])
    return h[1:]


def rnn_backward(x: Array, W: Array, U: Array, dh: Array, through_time: bool) -> Array:
    """dx; right is da_t = (dh_t + Uᵀ da_{t+1}) (1 − h_t²), wrong without Uᵀ da_{t+1}. dx_t = Wᵀ da_t."""
    h = rnn(x, W, U)
    da, dx = np.zeros(len(U)), np.zeros(x.shape)
    for t in reversed(range(len(x))):
        da = (dh[t] + (U.T @ da if through_time else 0)) * (1 - h[t] ** 2)
        dx[t] = W.T @ da
    return dx


# -- 8. A global maximum in softmax ------------------------------------------------------------------------------


def softmax_global(s: Array) -> Array:
    """Softmax of every row with the maximum of the whole matrix taken off: a row far below it becomes 0 / 0."""
    with np.errstate(invalid="ignore"):
        e = np.exp(s - s.max())
        return e / e.sum(-1, keepdims=True)


# -- the exhibits ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exhibit:
    """``loose`` and ``strict`` give the error that a check finds in the mistake, and ``right`` in the correction.

    The loose check allows ``allows``; the strict one 1e-6.
    """

    name: str
    loose: Callable[[], float]
    allows: float
    strict: Callable[[], float]
    right: Callable[[], float]


STRICT = 1e-6


def _attention(scale: float, transposed: bool, relative: bool) -> float:
    """Embeddings X of order one, all weights scaled, a mean for a loss; the error of dW_K, absolute or relative."""
    rng = np.random.default_rng(0)
    X, dY = rng.standard_normal((6, 8)), rng.standard_normal((6, 8)) / 48
    W_q, W_k, W_v = (scale * rng.standard_normal((8, 8)) for _ in range(3))
    dK = attention_backward(X @ W_q, X @ W_k, X @ W_v, dY, transposed)[1]
    dW = X.T @ dK
    L = lambda W: float((dY * (softmax(X @ W_q @ (X @ W).T / np.sqrt(8)) @ (X @ W_v))).sum())
    right = numerical(L, W_k)
    return error(dW, right) if relative else float(np.max(np.abs(dW - right)))


def _col2im(stride: int, add: bool) -> float:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(9)
    c = rng.standard_normal(windows(x, 3, stride).shape)
    return error(col2im(c, 9, stride, add), numerical(lambda x: float((c * windows(x, 3, stride)).sum()), x))


def _softmax(alone: bool, whole: bool) -> float:
    """The softmax beside differences: after the loss it came with, or alone, with a random dL/dp."""
    rng = np.random.default_rng(0)
    s, t = rng.standard_normal((4, 3)), np.eye(3)[[0, 2, 1, 0]]
    p = softmax(s)
    if not alone:
        ds = softmax_backward(p, cross_entropy_slope(p, t, whole), whole)
        return error(ds, numerical(lambda s: cross_entropy(softmax(s), t, 0.0), s))
    dp = rng.standard_normal((4, 3))
    return error(softmax_backward(p, dp, whole), numerical(lambda s: float((dp * softmax(s)).sum()), s))


def _max_pool(ties: bool, one_winner: bool) -> float:
    """dx beside the one in which each output has exactly one winner."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.standard_normal(12) - 1, 0.0 if ties else -9.0)  # what a ReLU leaves is full of ties
    dy = rng.standard_normal(4)
    right = max_pool_backward(x, dy, 3, True)
    return error(max_pool_backward(x, dy, 3, one_winner), right)


def _padding(positive: bool, edge: float) -> float:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(7)
    x = np.abs(x) if positive else -np.abs(x)
    return error(max_pool(x, 3, 1, edge), max_pool(x, 3, 1))


def _epsilon(confident: bool, eps: float) -> float:
    """−t/p beside the differences of −log(p + ε), for probabilities like 0.3 or like 1e-7."""
    p = np.array([1e-7, 0.4, 0.6 - 1e-7]) if confident else np.array([0.3, 0.5, 0.2])
    t = np.array([1.0, 0.0, 0.0])
    return error(-t / p, numerical(lambda p: cross_entropy(p, t, eps), p, 1e-12 if confident else 1e-6))


def _im2col(H: int, W: int, square: bool) -> float:
    x = np.random.default_rng(0).standard_normal((H, W))
    right = np.lib.stride_tricks.sliding_window_view(x, (3, 3)).reshape(-1, 9)
    return error(im2col(x, 3, square), right)


def _rnn(steps: int, through_time: bool) -> float:
    rng = np.random.default_rng(0)
    x, W, U = rng.standard_normal((steps, 3)), rng.standard_normal((4, 3)), rng.standard_normal((4, 4)) / 2
    dh = rng.standard_normal((steps, 4))
    return error(rnn_backward(x, W, U, dh, through_time), numerical(lambda x: float((dh * rnn(x, W, U)).sum()), x))


def _global_max(offset: float, f: Callable[[Array], Array]) -> float:
    s = np.random.default_rng(0).standard_normal((3, 4))
    s[1] -= offset
    found = error(f(s), softmax(s))
    return np.inf if np.isnan(found) else found


EXHIBITS = (
    Exhibit(
        "an attention key gradient without its transpose",
        loose=lambda: _attention(0.02, False, relative=False),
        allows=1e-3,
        strict=lambda: _attention(1.0, False, relative=True),
        right=lambda: _attention(1.0, True, relative=True),
    ),
    Exhibit(
        "col2im with =",
        loose=lambda: _col2im(3, False),
        allows=STRICT,
        strict=lambda: _col2im(1, False),
        right=lambda: _col2im(1, True),
    ),
    Exhibit(
        "a softmax gradient with the diagonal only, cancelled by a wrong loss",
        loose=lambda: _softmax(False, False),
        allows=STRICT,
        strict=lambda: _softmax(True, False),
        right=lambda: max(_softmax(True, True), _softmax(False, True)),
    ),
    Exhibit(
        "max-pooling whose ties all win",
        loose=lambda: _max_pool(False, False),
        allows=STRICT,
        strict=lambda: _max_pool(True, False),
        right=lambda: _max_pool(True, True),
    ),
    Exhibit(
        "max-pooling padded with 0",
        loose=lambda: _padding(True, 0.0),
        allows=STRICT,
        strict=lambda: _padding(False, 0.0),
        right=lambda: _padding(False, -np.inf),
    ),
    Exhibit(
        "cross-entropy with an epsilon that the gradient ignores",
        loose=lambda: _epsilon(False, 1e-7),
        allows=1e-5,
        strict=lambda: _epsilon(True, 1e-7),
        right=lambda: _epsilon(False, 0.0),
    ),
    Exhibit(
        "im2col that assumes H = W",
        loose=lambda: _im2col(6, 6, True),
        allows=STRICT,
        strict=lambda: _im2col(5, 7, True),
        right=lambda: _im2col(5, 7, False),
    ),
    Exhibit(
        "a recurrent input gradient that skips the time path",
        loose=lambda: _rnn(1, False),
        allows=STRICT,
        strict=lambda: _rnn(4, False),
        right=lambda: _rnn(4, True),
    ),
    Exhibit(
        "a global maximum in softmax",
        loose=lambda: _global_max(0.0, softmax_global),
        allows=STRICT,
        strict=lambda: _global_max(1000.0, softmax_global),
        right=lambda: _global_max(1000.0, softmax),
    ),
)
