"""The transformer: stacks of layers, an encoder of one sequence and a decoder that writes another.

    memory = LN(layer_n(… layer_1(src)))          y = LN(layer_n(… layer_1(tgt, memory), memory))

Vaswani et al. 2017. The layers are in ``ndl/nn/transformer_layers.py``.
Derivation: docs/blocks/multihead_attention.md, layer_norm.md, residual.md.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import is_grad_enabled
from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.nn.activation import ReLU, relu
from ndl.nn.activation_gated import GELU, gelu
from ndl.nn.attention_masks import canonical_mask, dtype_of, square_subsequent_mask
from ndl.nn.containers import ModuleList
from ndl.nn.layernorm import LayerNorm
from ndl.nn.module import Module
from ndl.nn.transformer_layers import Activation, TransformerDecoderLayer, TransformerEncoderLayer

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer, one after the other, with equal initial values; then ``norm``, if given.

    As in PyTorch, in evaluation without gradients the places that ``src_key_padding_mask`` hides give 0 (before
    ``norm``) if the layer is ``batch_first`` and not ``norm_first``, no other mask is given and all padding is at the
    ends; ``enable_nested_tensor=False`` computes them like all others.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """src (S, N, E), or with N first, or without N -> the same shape."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, dtype_of(mask), "mask")
        mask = canonical_mask(mask, "mask", src.dtype)
        causal = _is_causal(mask, is_causal, src, self.layers[0].self_attn.batch_first)
        zeroed = self._zeroed(src, mask, padding)
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=padding, is_causal=causal)
        if zeroed is not None:
            x = x * zeroed
        return x if self.norm is None else self.norm(x)

    def _zeroed(self, src: Any, mask: Any, padding: Any) -> Any:
        """1 for a place to compute and 0 for a padded one, (N, S, 1), where PyTorch packs the sequences; else None."""
        layer = self.layers[0]
        if (
            not self.enable_nested_tensor
            or not isinstance(layer, TransformerEncoderLayer)
            or layer.training
            or layer.norm_first
            or not layer.self_attn.batch_first
            or layer.self_attn.in_proj_bias is None
            or layer.self_attn.num_heads % 2
            or layer.norm1.eps != layer.norm2.eps
            or not _is_relu_or_gelu(layer.activation)
            or src.ndim != 3
            or padding is None
            or mask is not None
            or (is_grad_enabled() and any(t.requires_grad for t in (src, *layer.parameters())))
        ):
            return None
        shown = padding._array == 0  # (N, S)
        if self.mask_check and (shown[:, 1:] & ~shown[:, :-1]).any():
            return None
        return Tensor._wrap(shown[..., None].astype(src._array.dtype))


class TransformerDecoder(Module):
    """``num_layers`` copies of a layer, one after the other, with equal initial values; then ``norm``, if given."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """tgt (T, N, E), memory (S, N, E), or with N first, or without N -> tgt's shape."""
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, self.layers[0].self_attn.batch_first)
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder of ``src`` and a decoder of ``tgt`` that looks at it; all matrices start uniform after Glorot.

    Args as ``TransformerEncoderLayer``'s, with numbers of layers; ``custom_encoder`` and ``custom_decoder`` take the
    place of what would be made.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        new = {"device": device, "dtype": dtype}
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(*sizes, **new)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **new)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*sizes, **new)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **new)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """src (S, N, E), tgt (T, N, E), or with N first, or without N -> tgt's shape."""
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError(
                f"the batch number of src and tgt must be equal, but got {src.shape[batch]} and {tgt.shape[batch]}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model, {self.d_model}, but got {src.shape[-1]} "
                f"and {tgt.shape[-1]}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): −∞ above the diagonal, so that no place sees those after it; else 0."""
        return square_subsequent_mask(sz, device, dtype)


def _copies(layer: Module, n: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(n)])


def _is_relu_or_gelu(f: Any) -> bool:
    return f in (relu, gelu) or isinstance(f, (ReLU, GELU))


def _is_causal(mask: Any, hint: bool | None, x: Any, batch_first: bool) -> bool:
    """The hint, or whether the mask is the causal one."""
    if hint is not None or mask is None:
        return hint is True
    n = x.shape[0] if x.ndim == 2 or not batch_first else x.shape[1]
    if tuple(mask.shape) != (n, n) or mask._array.dtype.kind != "f":
        return False
    return bool((mask._array == np.triu(np.full((n, n), -np.inf), 1)).all())
