"""LSTM: long short-term memory. One step, for the gates i, f, g, o (rows of W_ih, W_hh and b in this order):

    a = W_ih x + b_ih + W_hh h + b_hh
    i = σ(a_i),  f = σ(a_f),  g = tanh a_g,  o = σ(a_o)
    c′ = f c + i g,   h′ = o tanh c′            with a projection:  h′ = W_hr (o tanh c′)

and backward, with dm = dh′, or W_hrᵀ dh′ with a projection, and dc′ what comes from the step after:

    dc′ += dm o (1 − tanh² c′)
    da_i = dc′ g i (1 − i),   da_f = dc′ c f (1 − f),   da_g = dc′ i (1 − g²),   da_o = dm tanh c′ o (1 − o)
    dc = dc′ f,   dh = W_hhᵀ da,   dx = W_ihᵀ da
    dW_ih = Σ_t da xᵀ,   dW_hh = Σ_t da hᵀ,   db_ih = db_hh = Σ_t da,   dW_hr = Σ_t dh′ (o tanh c′)ᵀ

Since dc = dc′ f has no matrix in it, a gradient can pass many steps where f is near 1.

Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; projection: Sak et al. 2014. Derivation:
docs/blocks/lstm.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels import lstm as kernel
from ndl.kernels.recurrent import cut
from ndl.nn.recurrent import RNNBase, RNNCellBase
from ndl.nn.recurrent_steps import recorded_backward, tensors_or_zeros
from ndl.ops.hyperbolic import sigmoid

__all__ = ["LSTM", "LSTMCell"]


class LSTMFunction(ArrayFunction):
    """One layer in one direction over packed sequences: x (N, I), h0 (B, P), c0 (B, H) -> y (N, P), h_n, c_n.

    Forward and backward as in the module's text; the loops are in ``ndl.kernels.lstm``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        h0: np.ndarray | None,
        c0: np.ndarray | None,
        W_ih: np.ndarray,
        W_hh: np.ndarray,
        b_ih: np.ndarray | None,
        b_hh: np.ndarray | None,
        W_hr: np.ndarray | None,
        sizes: tuple,
        reverse: bool,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = _weights(W_ih, W_hh, b_ih, b_hh, W_hr)
        shares = cut(sizes, reverse, W_hh.size)
        y, h_n, c_n, kept = kernel.lstm_forward(x, h0, c0, weights, shares)
        ctx.save_for_backward(x, h0, c0, W_ih, W_hh, b_ih, b_hh, W_hr, y)
        ctx.set_materialize_grads(False)
        ctx.kept = kept
        ctx.shares, ctx.sizes, ctx.reverse = shares, sizes, reverse
        return y, h_n, c_n

    @staticmethod
    def backward(ctx: Any, dy: Any, dh_n: Any, dc_n: Any) -> tuple:
        x, h0, c0, W_ih, W_hh, b_ih, b_hh, W_hr, y = ctx.saved_tensors
        if ctx.recording:
            N, B, H, P = len(x), max(ctx.sizes), W_hh.shape[0] // 4, W_hh.shape[1]
            starts = tensors_or_zeros((h0, c0), x, ((B, P), (B, H)))
            dy, *dends = tensors_or_zeros((dy, dh_n, dc_n), x, ((N, P), (B, P), (B, H)))
            weights = (W_ih, W_hh, b_ih, b_hh, W_hr)
            dx, dstarts, dW, dW_hr = recorded_backward(
                LSTMStep(), x, starts, weights, dy, dends, ctx.sizes, ctx.reverse
            )
            return dx, *dstarts, *dW, *(dW_hr or [None]), None, None
        need_dx, need_dh0, _, *need_dW = ctx.needs_input_grad
        dx, dh0, dc0, dW_ih, dW_hh, db, dW_hr = kernel.lstm_backward(
            dy, dh_n, dc_n, x, y, h0, c0, _weights(W_ih, W_hh, b_ih, b_hh, W_hr), ctx.kept, ctx.shares,
            need_dx, need_dh0, any(need_dW),
        )  # fmt: skip
        return dx, dh0, dc0, dW_ih, dW_hh, db, None if db is None else db.copy(), dW_hr, None, None


def _weights(W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, W_hr: Any) -> kernel.Weights:
    return kernel.Weights(W_ih, W_hh, None if b_ih is None else b_ih + b_hh, W_hr)


class LSTMStep:
    """One step with Tensors, for second derivatives."""

    def forward(self, x: Any, states: Sequence[Any], weights: Sequence[Any]) -> tuple[tuple, tuple]:
        h, c = states
        W_ih, W_hh, b_ih, b_hh, W_hr = weights
        a = x @ W_ih.mT + h @ W_hh.mT  # (n, 4H)
        if b_ih is not None:
            a = a + b_ih + b_hh
        H = c.shape[1]
        i, f, g, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
        c_new = f * c + i * g
        m = o * np.tanh(c_new)
        return (m if W_hr is None else m @ W_hr.mT, c_new), (i, f, g, o, c, c_new, m)

    def backward(self, dstates: Sequence[Any], kept: tuple, weights: Sequence[Any]) -> tuple[Any, Any, list, list]:
        dh, dc = dstates
        i, f, g, o, c, c_new, m = kept
        W_hr = weights[4]
        dm = dh if W_hr is None else dh @ W_hr
        tanh_c = np.tanh(c_new)
        dc = dc + dm * o * (1 - tanh_c * tanh_c)
        gates = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dm * tanh_c * o * (1 - o)]
        da = np.concatenate(gates, 1)
        return da, da, [0, dc * f], [] if W_hr is None else [dh.mT @ m]


def _check_pair(name: str, hx: Any, missing: type[Exception] | None = None) -> None:
    """Raise unless ``hx`` is (h, c) or None: ``missing``, if given, where there is no second state, as PyTorch."""
    if hx is None or (isinstance(hx, (tuple, list)) and len(hx) == 2):
        return
    sized = isinstance(hx, (tuple, list, Tensor))
    error: type[Exception] = RuntimeError if isinstance(hx, (tuple, list)) else TypeError
    given = f"{type(hx).__name__} of {len(hx)}" if sized else type(hx).__name__
    raise (missing if missing and sized and len(hx) < 2 else error)(
        f"{name} expects two hidden states: argument 'hx' must be tuple of Tensors (h, c), not {given}"
    )


class LSTM(RNNBase):
    """Long short-term memory over sequences, ``num_layers`` of them one on the other; formulas in the module's text.

    Arguments: ``input_size`` I, ``hidden_size`` H, ``num_layers`` L, ``bias``, ``batch_first``, ``dropout`` (between
    layers), ``bidirectional`` (D = 2, else 1), ``proj_size`` (P, else P = H).

    Called with x (T, B, I), or (B, T, I) if ``batch_first``, or (T, I), or a PackedSequence, and (h_0 (D·L, B, P),
    c_0 (D·L, B, H)), zeros if not given. Returns y (T, B, D·P) in the form of x, and (h_n, c_n). Raises ValueError or
    RuntimeError for types and sizes that do not fit.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Any) -> tuple[int, int, int]:
        """(layers · directions, batch, hidden_size)."""
        return *self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Any) -> None:
        """Check the input and both states."""
        self.check_input(input, batch_sizes)
        size, cell_size = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        self.check_hidden_size(hidden[0], size, "Expected hidden[0] size {}, got {}")
        self.check_hidden_size(hidden[1], cell_size, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Both states with their sequences in another order."""
        return tuple(RNNBase.permute_hidden(self, s, permutation) for s in hx)

    def _layer(self, x: Tensor, states: Sequence[Tensor | None], weights: list, sizes: tuple, reverse: bool) -> tuple:
        W_ih, W_hh, *others = weights
        W_hr = others.pop() if self.proj_size else None
        b_ih, b_hh = others or (None, None)
        return LSTMFunction.apply(x, *states, W_ih, W_hh, b_ih, b_hh, W_hr, sizes, reverse)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        _check_pair("lstm", hx, IndexError)
        y, (h_n, c_n) = self._run(input, hx)
        return y, (h_n, c_n)


class LSTMCell(RNNCellBase):
    """One step of an LSTM: x (B, I), (h, c) (B, H) each -> (h′, c′); also without the B. Zeros if (h, c) is not given."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=4, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        _check_pair("lstm_cell", hx)
        x, states, batched = self._checked(input, (None, None) if hx is None else hx)
        h, _, c = LSTMFunction.apply(x, *states, *self._weights(), None, (x.size(0),), False)
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))
