"""Backward through time in operations that are recorded themselves, for second derivatives.

The same mathematics as in ``ndl.kernels``, step after step, with Tensors (rows, features): slow, and short to read. A
``Step`` says what one step of one kind of network computes and its derivative:

    forward(x_t, states, weights)    -> the new states, and what backward wants of them
    backward(dstates, kept, weights) -> da (what W_ih x gets), dq (what W_hh h gets), the gradients of the states before
                                        without what comes through W_hh, and those of any other weights

With the stacked da and dq of all steps:  dx = da W_ih,  dW_ih = daᵀ x,  dW_hh = dqᵀ h_before,  db = Σ da and Σ dq.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ndl.kernels.recurrent import Share
from ndl.ops.creation import zeros
from ndl.ops.joining import cat

__all__ = ["Step", "recorded_backward"]


class Step(Protocol):
    """One step, forward and backward; see the module's text."""

    def forward(self, x: Any, states: Sequence[Any], weights: Sequence[Any]) -> tuple[tuple, tuple]: ...

    def backward(self, dstates: Sequence[Any], kept: tuple, weights: Sequence[Any]) -> tuple[Any, Any, list, list]: ...


def recorded_backward(
    step: Step,
    x: Any,
    starts: Sequence[Any],
    weights: Sequence[Any],
    dy: Any,
    dends: Sequence[Any],
    sizes: Sequence[int],
    reverse: bool,
) -> tuple[Any, list, list, list]:
    """-> dx (N, I), the gradients of the states at the start, of W_ih, W_hh, b_ih, b_hh, and of any other weights.

    x (N, I) and dy (N, P) are packed; ``starts`` are the states at the start, ``dends`` the gradients of those at the
    end, the state that is the output first; all are Tensors.
    """
    share = Share(sizes, 0, max(sizes), reverse)
    W_ih, W_hh = weights[:2]
    states = starts
    before, kept = {}, {}
    for t, _ in share.walk:
        states = [_resized(s, share.sizes[t], start) for s, start in zip(states, starts)]
        before[t] = states
        states, kept[t] = step.forward(x[share.rows[t]], states, weights)
    dstates: list = [d[:0] for d in dends]
    ended: list[list] = [[] for _ in dends]  # gradients of the states at the start of sequences that began later
    das, dqs, others = {}, {}, []
    for t, _ in reversed(share.walk):
        n = share.sizes[t]
        for pieces, d in zip(ended, dstates):
            pieces.append(d[n:])
        dh, *rest = [_resized(d, n, end) for d, end in zip(dstates, dends)]
        das[t], dqs[t], dstates, other = step.backward([dh + dy[share.rows[t]], *rest], kept[t], weights)
        dstates[0] = dstates[0] + dqs[t] @ W_hh
        others.append(other)
    dstarts = [cat([d, *reversed(pieces)], 0) for d, pieces in zip(dstates, ended)]
    da, dq, h = (cat([parts[t] for t in range(len(share.sizes))], 0) for parts in (das, dqs, _first(before)))
    dW = [da.mT @ x, dq.mT @ h, da.sum(0), dq.sum(0)]  # those of biases that are not there go nowhere
    return da @ W_ih, dstarts, dW, [sum(same[1:], same[0]) for same in zip(*others)]


def _first(states: dict) -> dict:
    return {t: s[0] for t, s in states.items()}


def _resized(state: Any, n: int, source: Any) -> Any:
    """The rows of the n sequences of the next step: fewer, or more that begin with those in ``source``."""
    m = state.shape[0]
    return state[:n] if n <= m else cat([state, source[m:n]], 0)


def tensors_or_zeros(values: Sequence[Any], like: Any, shapes: Sequence[tuple[int, int]]) -> list:
    """Each value, or zeros of its shape where it is None."""
    return [zeros(shape, dtype=like.dtype) if v is None else v for v, shape in zip(values, shapes)]
