"""The plain (Elman) recurrent network. One step, with f = tanh or ReLU:

    h′ = f(W_ih x + b_ih + W_hh h + b_hh)

and backward, with dh′ from the output and from the step after:

    da = dh′ (1 − h′²)  for tanh,   da = dh′ where h′ > 0, else 0,  for ReLU
    dx = W_ihᵀ da,   dh = W_hhᵀ da
    dW_ih = Σ_t da xᵀ,   dW_hh = Σ_t da hᵀ,   db_ih = db_hh = Σ_t da

dh passes W_hhᵀ and f′ at every step, so over many steps it fades or explodes; LSTM and GRU were made against that.

Elman 1990. Derivation: docs/blocks/rnn.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels import rnn as kernel
from ndl.kernels.recurrent import cut
from ndl.nn.recurrent import RNNBase, RNNCellBase, refuse_projection
from ndl.nn.recurrent_steps import recorded_backward, tensors_or_zeros
from ndl.ops.elementwise import keep

__all__ = ["RNN", "RNNCell"]


class RNNFunction(ArrayFunction):
    """One layer in one direction over packed sequences: x (N, I), h0 (B, H) -> y (N, H), h_n (B, H).

    Forward and backward as in the module's text; the loops are in ``ndl.kernels.rnn``.
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
        relu: bool,
        sizes: tuple,
        reverse: bool,
    ) -> tuple[np.ndarray, np.ndarray]:
        shares = cut(sizes, reverse, W_hh.size)
        y, h_n, h = kernel.rnn_forward(x, h0, _weights(W_ih, W_hh, b_ih, b_hh), relu, shares)
        ctx.save_for_backward(x, h0, W_ih, W_hh, b_ih, b_hh, y)
        ctx.set_materialize_grads(False)
        ctx.h, ctx.relu, ctx.shares, ctx.sizes, ctx.reverse = h, relu, shares, sizes, reverse
        return y, h_n

    @staticmethod
    def backward(ctx: Any, dy: Any, dh_n: Any) -> tuple:
        x, h0, W_ih, W_hh, b_ih, b_hh, y = ctx.saved_tensors
        if ctx.recording:
            N, B, H = len(x), max(ctx.sizes), len(W_hh)
            starts = tensors_or_zeros((h0,), x, ((B, H),))
            dy, *dends = tensors_or_zeros((dy, dh_n), x, ((N, H), (B, H)))
            step, weights = RNNStep(ctx.relu), (W_ih, W_hh, b_ih, b_hh)
            dx, dstarts, dW, _ = recorded_backward(step, x, starts, weights, dy, dends, ctx.sizes, ctx.reverse)
            return dx, *dstarts, *dW, None, None, None
        need_dx, need_dh0, *need_dW = ctx.needs_input_grad
        dx, dh0, dW_ih, dW_hh, db = kernel.rnn_backward(
            dy, dh_n, x, y, h0, _weights(W_ih, W_hh, b_ih, b_hh), ctx.relu, ctx.h, ctx.shares,
            need_dx, need_dh0, any(need_dW),
        )  # fmt: skip
        return dx, dh0, dW_ih, dW_hh, db, None if db is None else db.copy(), None, None, None


def _weights(W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> kernel.Weights:
    return kernel.Weights(W_ih, W_hh, None if b_ih is None else b_ih + b_hh)


class RNNStep:
    """One step with Tensors, for second derivatives."""

    def __init__(self, relu: bool) -> None:
        self.relu = relu

    def forward(self, x: Any, states: Sequence[Any], weights: Sequence[Any]) -> tuple[tuple, tuple]:
        (h,) = states
        W_ih, W_hh, b_ih, b_hh = weights
        a = x @ W_ih.mT + h @ W_hh.mT  # (n, H)
        if b_ih is not None:
            a = a + b_ih + b_hh
        h_new = np.maximum(a, 0) if self.relu else np.tanh(a)
        return (h_new,), (h_new,)

    def backward(self, dstates: Sequence[Any], kept: tuple, weights: Sequence[Any]) -> tuple[Any, Any, list, list]:
        (dh,), (h_new,) = dstates, kept
        da = keep(dh, h_new != 0) if self.relu else dh * (1 - h_new * h_new)
        return da, da, [0], []


class RNN(RNNBase):
    """Elman networks over sequences, ``num_layers`` of them one on the other; formulas in the module's text.

    Arguments: ``input_size`` I, ``hidden_size`` H, ``num_layers`` L, ``nonlinearity`` ("tanh" or "relu"), ``bias``,
    ``batch_first``, ``dropout`` (between layers), ``bidirectional`` (D = 2, else 1).

    Called with x (T, B, I), or (B, T, I) if ``batch_first``, or (T, I), or a PackedSequence, and h_0 (D·L, B, H), zeros
    if not given. Returns y (T, B, D·H) in the form of x, and h_n. Raises ValueError or RuntimeError for types and sizes
    that do not fit.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse_projection(kwargs)
        if len(args) > 3:
            args, self.nonlinearity = (*args[:3], *args[4:]), args[3]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + self.nonlinearity.upper(), *args, **kwargs)

    def _layer(self, x: Tensor, states: Sequence[Tensor | None], weights: list, sizes: tuple, reverse: bool) -> tuple:
        W_ih, W_hh, *biases = weights
        relu = self.mode == "RNN_RELU"
        return RNNFunction.apply(x, *states, W_ih, W_hh, *(biases or (None, None)), relu, sizes, reverse)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, (h_n,) = self._run(input, None if hx is None else (hx,))
        return y, h_n


class RNNCell(RNNCellBase):
    """One step of an Elman network: x (B, I), h (B, H) -> h′ (B, H); also without the B. Zeros if h is not given."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states, batched = self._checked(input, (hx,))
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}; there are 'tanh' and 'relu'")
        h, _ = RNNFunction.apply(x, *states, *self._weights(), self.nonlinearity == "relu", (x.size(0),), False)
        return h if batched else h.squeeze(0)
