"""GRU: gated recurrent unit. One step, for the gates r, z, n (rows of W_ih, W_hh and the biases in this order):

    r = σ(W_ir x + b_ir + W_hr h + b_hr)
    z = σ(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r q),   q = W_hn h + b_hn
    h′ = (1 − z) n + z h

and backward, with dh′ from the output and from the step after, and a_r, a_z, a_n for what stands inside σ and tanh:

    da_n = dh′ (1 − z) (1 − n²),   da_z = dh′ (h − n) z (1 − z),   da_r = da_n q r (1 − r),   dq = da_n r
    dx = W_ihᵀ (da_r, da_z, da_n),   dh = dh′ z + W_hhᵀ (da_r, da_z, dq)
    dW_ih = Σ_t (da_r, da_z, da_n) xᵀ,   db_ih = Σ_t (da_r, da_z, da_n)
    dW_hh = Σ_t (da_r, da_z, dq) hᵀ,     db_hh = Σ_t (da_r, da_z, dq)

r multiplies q, after the product with W_hn (as in cuDNN), not h before it (as in the paper): then all products with h
are one. Cho et al. 2014. Derivation: docs/blocks/gru.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels import gru as kernel
from ndl.kernels.recurrent import cut
from ndl.nn.recurrent import RNNBase, RNNCellBase, refuse_projection
from ndl.nn.recurrent_steps import recorded_backward, tensors_or_zeros
from ndl.ops.hyperbolic import sigmoid

__all__ = ["GRU", "GRUCell"]


class GRUFunction(ArrayFunction):
    """One layer in one direction over packed sequences: x (N, I), h0 (B, H) -> y (N, H), h_n (B, H).

    Forward and backward as in the module's text; the loops are in ``ndl.kernels.gru``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        h0: np.ndarray | None,
        W_ih: np.ndarray,
        W_hh: np.ndarray,
        b_ih: np.ndarray | None,
        b_hh: np.ndarray | None,
        sizes: tuple,
        reverse: bool,
    ) -> tuple[np.ndarray, np.ndarray]:
        shares = cut(sizes, reverse, W_hh.size)
        y, h_n, kept = kernel.gru_forward(x, h0, kernel.Weights(W_ih, W_hh, b_ih, b_hh), shares)
        ctx.save_for_backward(x, h0, W_ih, W_hh, b_ih, b_hh, y)
        ctx.set_materialize_grads(False)
        ctx.gates, ctx.q, ctx.h = kept
        ctx.shares, ctx.sizes, ctx.reverse = shares, sizes, reverse
        return y, h_n

    @staticmethod
    def backward(ctx: Any, dy: Any, dh_n: Any) -> tuple:
        x, h0, W_ih, W_hh, b_ih, b_hh, y = ctx.saved_tensors
        if ctx.recording:
            N, B, H = len(x), max(ctx.sizes), W_hh.shape[1]
            starts = tensors_or_zeros((h0,), x, ((B, H),))
            dy, *dends = tensors_or_zeros((dy, dh_n), x, ((N, H), (B, H)))
            weights = (W_ih, W_hh, b_ih, b_hh)
            dx, dstarts, dW, _ = recorded_backward(GRUStep(), x, starts, weights, dy, dends, ctx.sizes, ctx.reverse)
            return dx, *dstarts, *dW, None, None
        need_dx, need_dh0, *need_dW = ctx.needs_input_grad
        dx, dh0, *dW = kernel.gru_backward(
            dy, dh_n, x, y, h0, kernel.Weights(W_ih, W_hh, b_ih, b_hh), kernel.Kept(ctx.gates, ctx.q, ctx.h),
            ctx.shares, need_dx, need_dh0, any(need_dW),
        )  # fmt: skip
        return dx, dh0, *dW, None, None


class GRUStep:
    """One step with Tensors, for second derivatives."""

    def forward(self, x: Any, states: Sequence[Any], weights: Sequence[Any]) -> tuple[tuple, tuple]:
        (h,) = states
        W_ih, W_hh, b_ih, b_hh = weights
        a, q = x @ W_ih.mT, h @ W_hh.mT  # (n, 3H) each
        if b_ih is not None:
            a, q = a + b_ih, q + b_hh
        H = h.shape[1]
        r, z = sigmoid(a[:, :H] + q[:, :H]), sigmoid(a[:, H : 2 * H] + q[:, H : 2 * H])
        q_n = q[:, 2 * H :]
        n = np.tanh(a[:, 2 * H :] + r * q_n)
        return (n + z * (h - n),), (r, z, n, q_n, h)

    def backward(self, dstates: Sequence[Any], kept: tuple, weights: Sequence[Any]) -> tuple[Any, Any, list, list]:
        (dh,) = dstates
        r, z, n, q, h = kept
        da_n = dh * (1 - z) * (1 - n * n)
        da_z = dh * (h - n) * z * (1 - z)
        da_r = da_n * q * r * (1 - r)
        return np.concatenate([da_r, da_z, da_n], 1), np.concatenate([da_r, da_z, da_n * r], 1), [dh * z], []


class GRU(RNNBase):
    """Gated recurrent units over sequences, ``num_layers`` of them one on the other; formulas in the module's text.

    Arguments: ``input_size`` I, ``hidden_size`` H, ``num_layers`` L, ``bias``, ``batch_first``, ``dropout`` (between
    layers), ``bidirectional`` (D = 2, else 1).

    Called with x (T, B, I), or (B, T, I) if ``batch_first``, or (T, I), or a PackedSequence, and h_0 (D·L, B, H), zeros
    if not given. Returns y (T, B, D·H) in the form of x, and h_n. Raises ValueError or RuntimeError for types and sizes
    that do not fit.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)

    def _layer(self, x: Tensor, states: Sequence[Tensor | None], weights: list, sizes: tuple, reverse: bool) -> tuple:
        W_ih, W_hh, *biases = weights
        return GRUFunction.apply(x, *states, W_ih, W_hh, *(biases or (None, None)), sizes, reverse)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, (h_n,) = self._run(input, None if hx is None else (hx,))
        return y, h_n


class GRUCell(RNNCellBase):
    """One step of a GRU: x (B, I), h (B, H) -> h′ (B, H); also without the B. Zeros if h is not given."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states, batched = self._checked(input, (hx,))
        h, _ = GRUFunction.apply(x, *states, *self._weights(), (x.size(0),), False)
        return h if batched else h.squeeze(0)
