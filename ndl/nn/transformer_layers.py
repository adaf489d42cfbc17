"""The transformer's layers: attention and a small network for each place, with residual sums and normalisation.

    encoder layer     z = LN(x + SA(x))          y = LN(z + FF(z))                          FF(x) = W_2 f(W_1 x)
    decoder layer     u = LN(x + SA(x))          z = LN(u + A(u, memory))    y = LN(z + FF(z))

SA: self-attention, A: attention to the encoder's output. With ``norm_first`` each sum is x + SA(LN(x)) instead, which
keeps an unnormalised path from the first layer to the last. Vaswani et al. 2017; Xiong et al. 2020 on the order.

These are compositions of blocks that have their own rooms, as PyTorch's are.
Derivation: docs/blocks/multihead_attention.md, layer_norm.md, residual.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ndl.nn.activation import relu
from ndl.nn.activation_gated import gelu
from ndl.nn.attention_masks import canonical_mask, dtype_of
from ndl.nn.dropout import Dropout
from ndl.nn.layernorm import LayerNorm
from ndl.nn.linear import Linear
from ndl.nn.module import Module
from ndl.nn.multihead_attention import MultiheadAttention

__all__ = ["Activation", "TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Any], Any]


def _activation(f: Activation) -> Callable[[Any], Any]:
    if not isinstance(f, str):
        return f
    if f not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {f}; or give a function")
    return relu if f == "relu" else gelu


class _Layer(Module):
    """What both kinds of layer have in common: the self-attention and the network for each place."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        attentions: tuple[str, ...],
        new: dict[str, Any],
    ) -> None:
        super().__init__()
        for name in attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **new)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **new)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **new)
        self.norm_first = norm_first
        blocks = range(1, len(attentions) + 2)
        for i in blocks:
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **new))
        for i in blocks:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation)

    def _attend(
        self, number: int, attention: Any, x: Any, memory: Any, mask: Any, padding: Any, is_causal: bool
    ) -> Any:
        """What x sees in ``memory``, through dropout ``number``."""
        y = attention(x, memory, memory, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)[0]
        return getattr(self, f"dropout{number}")(y)

    def _feed_forward(self, number: int, x: Any) -> Any:
        """The network for each place, through dropout ``number``."""
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return getattr(self, f"dropout{number}")(y)

    def _residual(self, number: int, x: Any, block: Callable[[Any], Any]) -> Any:
        """LN(x + block(x)), or x + block(LN(x))."""
        norm = getattr(self, f"norm{number}")
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network for each place, each with its residual sum and normalisation.

    Args:
        d_model, nhead: features and heads.
        dim_feedforward: hidden units of the network, whose function is ``activation``: "relu", "gelu" or a callable.
        dropout: of the attention's weights, of the hidden units and of what both blocks give.
        batch_first: (N, S, E) instead of (S, N, E).
        norm_first: normalise what goes into a block, not the sum behind it.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            ("self_attn",),
            {"device": device, "dtype": dtype},
        )

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """src (S, N, E), or with N first, or without N -> the same shape. Masks as in ``MultiheadAttention``."""
        padding = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", src.dtype, dtype_of(src_mask), "src_mask"
        )
        mask = canonical_mask(src_mask, "src_mask", src.dtype)
        x = self._residual(1, src, lambda x: self._attend(1, self.self_attn, x, x, mask, padding, is_causal))
        return self._residual(2, x, lambda x: self._feed_forward(2, x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to ``memory``, then a network for each place; arguments as the encoder layer's."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            ("self_attn", "multihead_attn"),
            {"device": device, "dtype": dtype},
        )

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """tgt (T, N, E), memory (S, N, E), or with N first, or without N -> tgt's shape."""

        def look_at_oneself(x: Any) -> Any:
            return self._attend(1, self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)

        def look_at_memory(x: Any) -> Any:
            return self._attend(
                2, self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal
            )

        x = self._residual(1, tgt, look_at_oneself)
        x = self._residual(2, x, look_at_memory)
        return self._residual(3, x, lambda x: self._feed_forward(3, x))
