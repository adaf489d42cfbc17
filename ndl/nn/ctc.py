"""Connectionist temporal classification: the loss of a label sequence whose places in time are not known.

Frames t = 1..T give log-probabilities l_t of C classes, one of them the blank. The labels with a blank before, between
and after them are the states z_1 … z_{2S+1}. A path may stay, go to the next state, or skip a blank between two
different labels; the loss −log p(labels) sums over all paths. In log space (logadd(a, …) = log(e^a + …)):

    α_t(s) = l_t(z_s) + logadd(α_{t−1}(s), α_{t−1}(s−1), α_{t−1}(s−2) if z_s ≠ z_{s−2})       before and at frame t
    β_t(s) = logadd over s' = s, s+1, (s+2 if z_{s+2} ≠ z_s) of β_{t+1}(s') + l_{t+1}(z_s')   after frame t
    L = −logadd(α_T(2S+1), α_T(2S))

The paths through state s at frame t have together the probability e^{α_t(s) + β_t(s)}, and each has the factor
e^{l_t(z_s)} once, so

    ∂L/∂l_t(c) = −γ_t(c),   γ_t(c) = Σ_{s: z_s = c} e^{α_t(s) + β_t(s) + L}

the probability of class c at frame t, given the labels. As l = log_softmax(x), which takes g to g − e^l Σ g, and
Σ_c γ_t(c) = 1, the gradient of the scores is e^l − γ. PyTorch hands e^l − γ on as ∂L/∂l already (its sum over c is 0,
so log_softmax leaves it as it is), and so does this. Graves, Fernández, Gomez & Schmidhuber 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.nn.loss import Loss, check_float, check_reduction, check_tensors
from ndl.ops.promotion import array_of

__all__ = ["CTCLoss", "ctc_loss"]


class CTCFunction(ArrayFunction):
    """L_n = −log p(labels_n), reduced;  dl_t(c) = (e^{l_t(c)} − γ_t(c)) s_n dL for the frames of the sequence.

    ``l`` (T, N, C), ``labels`` (N, S) filled up with blanks, ``T_n`` and ``S_n`` (N): how many of each count.
    ``s_n`` is 1, or 1 / (N max(S_n, 1)) for the mean.
    """

    @staticmethod
    def forward(
        ctx: Any,
        l: np.ndarray,
        labels: np.ndarray,
        T_n: np.ndarray,
        S_n: np.ndarray,
        blank: int,
        reduction: str,
        zero_infinity: bool,
    ) -> np.ndarray:
        N = len(labels)
        z = np.full((N, 2 * labels.shape[1] + 1), blank)  # (N, 2S+1)
        z[:, 1::2] = labels
        emitted = np.take_along_axis(l, z[None], 2)  # (T, N, 2S+1): l_t(z_s)
        skip = _skips(z, l.dtype)
        alpha = _forward(emitted, skip)
        L = -_ends(alpha, T_n, S_n)  # (N,)
        infinite = np.isinf(L)
        s = np.ones(N, l.dtype) if reduction != "mean" else (1 / (N * np.maximum(S_n, 1))).astype(l.dtype)
        ctx.save_for_backward(l)
        ctx.z, ctx.T_n, ctx.S_n, ctx.emitted, ctx.skip, ctx.alpha, ctx.L = z, T_n, S_n, emitted, skip, alpha, L
        ctx.s = np.where(infinite, 0 if zero_infinity else np.nan, s)  # no path has no probabilities of its frames
        if zero_infinity:
            L = np.where(infinite, 0, L)
        return L if reduction == "none" else np.asarray((L * s).sum())

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        (l,) = ctx.saved_tensors
        dl = CTCGrad.apply(dL, l, ctx.z, ctx.T_n, ctx.S_n, ctx.emitted, ctx.skip, ctx.alpha, ctx.L, ctx.s)
        return dl, None, None, None, None, None, None


class CTCGrad(ArrayFunction):
    """dl = (e^l − γ) s dL in the frames t < T_n, else 0. It has no derivative of its own, as in PyTorch."""

    @staticmethod
    def forward(
        ctx: Any,
        dL: np.ndarray,
        l: np.ndarray,
        z: np.ndarray,
        T_n: np.ndarray,
        S_n: np.ndarray,
        emitted: np.ndarray,
        skip: np.ndarray,
        alpha: np.ndarray,
        L: np.ndarray,
        s: np.ndarray,
    ) -> np.ndarray:
        T, N, C = l.shape
        on_path = alpha + _backward(emitted, skip, T_n, S_n)  # (T, N, 2S+1)
        on_path += L[:, None]
        np.exp(on_path, out=on_path)
        places = (np.arange(T * N) * C).reshape(T, N, 1) + z
        gamma = np.bincount(places.ravel(), on_path.ravel(), T * N * C).reshape(T, N, C)
        dl = np.exp(l) - gamma.astype(l.dtype, copy=False)
        dl *= (s * dL)[:, None]
        dl[np.arange(T)[:, None] >= T_n] = 0  # frames after the end
        dl[:, s == 0] = 0
        return dl

    @staticmethod
    def backward(ctx: Any, ddl: Any) -> Any:
        raise RuntimeError(
            "derivative for ctc_loss's backward is not implemented, here as in PyTorch: ctc_loss can be differentiated "
            "once only, so do not differentiate through gradients made with create_graph=True"
        )


def _skips(z: np.ndarray, dtype: Any) -> np.ndarray:
    """0 where a path may come from two states before, else −∞: what is added to α_{t−1}(s−2). (N, 2S+1)"""
    skip = np.full(z.shape, -np.inf, dtype)
    skip[:, 2:][z[:, 2:] != z[:, :-2]] = 0
    return skip


def _logadd(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """log(e^a + e^b + e^c); −∞ if all are."""
    m = np.maximum(np.maximum(a, b), c)
    m[np.isneginf(m)] = 0
    return np.log(np.exp(a - m) + np.exp(b - m) + np.exp(c - m)) + m


def _forward(emitted: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """α, (T, N, 2S+1)."""
    alpha = np.full_like(emitted, -np.inf)
    alpha[0, :, :2] = emitted[0, :, :2]  # a path begins with the first blank or the first label
    before = np.full((skip.shape[0], skip.shape[1] + 2), -np.inf, skip.dtype)  # two states that nobody is in, then α
    for t in range(1, len(emitted)):
        before[:, 2:] = alpha[t - 1]
        np.add(_logadd(before[:, 2:], before[:, 1:-1], before[:, :-2] + skip), emitted[t], out=alpha[t])
    return alpha


def _backward(emitted: np.ndarray, skip: np.ndarray, T_n: np.ndarray, S_n: np.ndarray) -> np.ndarray:
    """β, (T, N, 2S+1): 0 in the last two states at a sequence's last frame; what is after it counts for nothing."""
    beta = np.zeros_like(emitted)
    state = np.arange(skip.shape[1])
    last = np.where((state <= 2 * S_n[:, None]) & (state >= 2 * S_n[:, None] - 1), 0, -np.inf)
    after = np.full((skip.shape[0], skip.shape[1] + 2), -np.inf, skip.dtype)
    leap = np.full_like(skip, -np.inf)
    leap[:, :-2] = skip[:, 2:]
    for t in range(len(emitted) - 1, -1, -1):
        if t + 1 < len(emitted):
            np.add(beta[t + 1], emitted[t + 1], out=after[:, :-2])
            beta[t] = _logadd(after[:, :-2], after[:, 1:-1], after[:, 2:] + leap)
        ending = t == T_n - 1
        beta[t, ending] = last[ending]
    return beta


def _ends(alpha: np.ndarray, T_n: np.ndarray, S_n: np.ndarray) -> np.ndarray:
    """log p(labels), (N,): the paths that end in the last blank or the last label."""
    n = np.arange(len(T_n))
    at = np.maximum(T_n - 1, 0)
    blank = alpha[at, n, 2 * S_n]
    label = np.where(S_n > 0, alpha[at, n, np.maximum(2 * S_n - 1, 0)], -np.inf)
    nothing = np.where(S_n == 0, 0, -np.inf)  # no frames: certain if there are no labels either
    return np.where(T_n > 0, np.logaddexp(blank, label), nothing).astype(alpha.dtype, copy=False)


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """−log p(targets | log_probs), summed over all alignments; see the module's text for the recursion.

    Shapes: ``log_probs`` (T, N, C), as ``log_softmax`` gives them, or (T, C); ``targets`` (N, S), of which the first
    ``target_lengths[n]`` of row n count, or all label sequences one after the other, (Σ target_lengths); lengths (N),
    integer tensors or tuples. The mean divides each loss by its number of labels first. ``zero_infinity`` makes 0 of
    the losses, and gradients, of labels that do not fit into their frames.

    Raises RuntimeError for lengths that do not fit, for an empty input and for labels that are no class;
    NotImplementedError for types other than float32 and float64.
    """
    check_tensors("ctc_loss", log_probs=log_probs, targets=targets)
    check_reduction(reduction)
    l, t = array_of(log_probs), array_of(targets)
    batched = l.ndim == 3
    if l.ndim not in (2, 3):
        raise RuntimeError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), but got shape {list(l.shape)}")
    if not l.size:
        raise RuntimeError(f"ctc_loss: log_probs tensor must not be empty, but got shape {list(l.shape)}")
    check_float("ctc_loss", l)
    if l.dtype == np.float16:
        raise NotImplementedError('"ctc_loss" not implemented for float16: convert log_probs with .float()')
    if not batched:
        log_probs = log_probs.reshape(l.shape[0], 1, l.shape[1])
        t = t.reshape(1, -1)
    T, N, C = array_of(log_probs).shape
    T_n, S_n = _lengths("input_lengths", input_lengths, N), _lengths("target_lengths", target_lengths, N)
    if T_n.max() > T:
        raise RuntimeError(f"ctc_loss: expected input_lengths to be at most {T}, the frames, but got {T_n.max()}")
    if not 0 <= blank < C:
        raise RuntimeError(f"ctc_loss: blank must be in label range, from 0 to {C - 1}, but got {blank}")
    labels = _padded(t, S_n, N, C, blank)
    L = CTCFunction.apply(log_probs, labels, T_n, S_n, blank, reduction, zero_infinity)
    return L if batched or reduction != "none" else L.reshape(())


def _lengths(name: str, given: Any, N: int) -> np.ndarray:
    """One length for each of the N sequences, int64."""
    a = array_of(given)
    if not isinstance(a, (np.ndarray, tuple, list)):
        raise TypeError(f"ctc_loss(): {name} must be a Tensor or a tuple of ints, not {type(given).__name__}")
    a = np.asarray(a if len(np.shape(a)) == 0 or len(a) else np.zeros(0, np.int64))
    if a.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: {name} must be integral, but got {a.dtype}; convert it with .long()")
    a = a.reshape(-1).astype(np.int64)
    if len(a) != N:
        raise RuntimeError(f"ctc_loss: {name} must be of size batch_size, {N}, but got {len(a)} lengths")
    if a.min() < 0:
        raise RuntimeError(f"ctc_loss: expected {name} to be at least 0, but got {a.min()}")
    return a


def _padded(t: np.ndarray, S_n: np.ndarray, N: int, C: int, blank: int) -> np.ndarray:
    """The labels as (N, S) with blanks after each sequence's end, from rows or from one long row."""
    longest = int(S_n.max())
    if t.ndim == 2:
        if t.shape[0] != N or t.shape[1] < longest:
            raise RuntimeError(
                f"ctc_loss: targets must be at least ({N}, {longest}) for {N} sequences of up to {longest} labels, but "
                f"got shape {list(t.shape)}"
            )
    elif t.ndim != 1 or len(t) != S_n.sum():
        raise RuntimeError(
            f"ctc_loss: targets must be ({N}, S) or hold all {S_n.sum()} labels in one row, but got shape {list(t.shape)}"
        )
    counts = np.arange(longest) < S_n[:, None]  # (N, S)
    labels = np.full((N, longest), blank, np.int64)
    labels[counts] = t[:, :longest][counts] if t.ndim == 2 else t
    if labels.size and (labels.min() < 0 or labels.max() >= C):
        n, k = np.argwhere((labels < 0) | (labels >= C))[0]
        raise RuntimeError(
            f"ctc_loss: targets must be classes from 0 to {C - 1}, but label {k} of sequence {n} is {labels[n, k]}"
        )
    return labels


class CTCLoss(Loss):
    """Loss of label sequences without places in time; see ``ctc_loss``."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
