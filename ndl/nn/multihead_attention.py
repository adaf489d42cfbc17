"""Multi-head attention: several attentions side by side, each in its own part of learned projections.

    Q = x_q W_Qᵀ + b_Q      K = x_k W_Kᵀ + b_K      V = x_v W_Vᵀ + b_V          each cut into h heads of E / h features
    y = [attention(Q_1, K_1, V_1) … attention(Q_h, K_h, V_h)] W_Oᵀ + b_O

Vaswani et al. 2017. It is made of ``linear`` and ``scaled_dot_product_attention``, and so is its backward pass; where
the weights are asked for, of ``softmax`` and two products. Derivation: docs/blocks/multihead_attention.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.nn.attention import scaled_dot_product_attention
from ndl.nn.attention_masks import canonical_mask, check_shapes, dtype_of
from ndl.nn.dropout import dropout
from ndl.nn.linear import Linear, linear
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.nn.softmax import softmax
from ndl.ops.creation import empty
from ndl.ops.joining import cat

__all__ = ["MultiheadAttention", "multi_head_attention_forward"]


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """(y, weights) for query (L, N, E), key and value (S, N, E), or without N; see ``MultiheadAttention``.

    ``in_proj_weight`` (3E, E) holds W_Q, W_K and W_V one after the other, unless ``use_separate_proj_weight``. The heads
    of ``static_k`` and ``static_v`` (N · h, S, E / h) take the place of projected keys and values. weights is None
    unless ``need_weights``. Raises AssertionError for sizes that do not fit, as PyTorch does.
    """
    batched = check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = _each_once(lambda x: x.unsqueeze(1), query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    L, N, E = query.shape
    h, d = num_heads, E // num_heads
    if embed_dim_to_check != E:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {E}")
    if h * d != E:
        raise AssertionError(f"embed_dim {E} not divisible by num_heads {h}")
    key_padding_mask = canonical_mask(
        key_padding_mask, "key_padding_mask", query.dtype, dtype_of(attn_mask), "attn_mask"
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    is_causal = is_causal and key_padding_mask is None and not need_weights  # then the hint says all the mask would
    attn_mask = None if is_causal else canonical_mask(attn_mask, "attn_mask", query.dtype)
    if use_separate_proj_weight:
        q, k, v = _separate(query, key, value, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        q, k, v = _packed(query, key, value, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        attn_mask = _fitting(attn_mask, L, key.shape[0], N, h)  # (L, S) or (N, h, L, S)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v must both be given, or neither")
    if bias_k is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k, v = cat([k, bias_k.expand(1, N, E)]), cat([v, bias_v.expand(1, N, E)])  # (S + 1, N, E)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    q = _heads(q, h)  # (N, h, L, d)
    k = _heads(k, h) if static_k is None else _static(static_k, "static_k", N, h, d)
    v = _heads(v, h) if static_v is None else _static(static_v, "static_v", N, h, d)
    if add_zero_attn:
        zeros = Tensor._wrap(np.zeros((N, h, 1, d), q._array.dtype))
        k, v = cat([k, zeros], 2), cat([v, zeros], 2)  # (N, h, S + 1, d)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    S = k.shape[2]
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (N, S):
            raise AssertionError(
                f"Expected key_padding_mask of shape {[N, S]}, (batch, length of key), but got "
                f"{list(key_padding_mask.shape)}"
            )
        hidden = key_padding_mask.reshape(N, 1, 1, S)
        attn_mask = hidden if attn_mask is None else attn_mask + hidden
    P = None
    p = dropout_p if training else 0.0
    if need_weights:
        s = (q * math.sqrt(1 / d)) @ k.mT  # (N, h, L, S)
        P = dropout(softmax(s if attn_mask is None else attn_mask + s, -1), p)
        y = P @ v  # (N, h, L, d)
        P = P.mean(1) if average_attn_weights else P  # (N, L, S) or (N, h, L, S)
    else:
        y = scaled_dot_product_attention(q, k, v, attn_mask, p, is_causal)
    y = y.permute(2, 0, 1, 3).reshape(L, N, E)
    y = _linear(y if _turned(query) else y.contiguous(), out_proj_weight, out_proj_bias)
    if not batched:
        y, P = y.squeeze(1), None if P is None else P.squeeze(0)
    return y, P


def _each_once(f: Any, query: Any, key: Any, value: Any) -> tuple:
    """``f`` of each; what was one tensor stays one, so that its projections are made together."""
    q = f(query)
    k = q if key is query else f(key)
    return q, k, k if value is key else f(value)


def _turned(x: Any) -> bool:
    """Whether (L, N, E) lies in memory as (N, L, E): what ``batch_first`` makes."""
    return not x.is_contiguous() and x.transpose(0, 1).is_contiguous()


def _linear(x: Any, W: Any, b: Any) -> Any:
    """``linear`` in the order in which x lies in memory, so that nothing is copied."""
    return linear(x.transpose(0, 1), W, b).transpose(0, 1) if _turned(x) else linear(x, W, b)


def _packed(query: Any, key: Any, value: Any, W: Any, b: Any) -> tuple:
    """Q, K and V from one weight (3E, E), with as few matrix products as can be."""
    if W is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if key.shape != value.shape:
        raise AssertionError(f"key shape {list(key.shape)} does not match value shape {list(value.shape)}")
    E = query.shape[-1]
    if query is key and key is value:
        return _linear(query, W, b).split([E, E, E], -1)
    if key is value:
        W_q, W_kv = W.split([E, 2 * E])
        b_q, b_kv = (None, None) if b is None else b.split([E, 2 * E])
        return _linear(query, W_q, b_q), *_linear(key, W_kv, b_kv).split([E, E], -1)
    return _separate(query, key, value, W.split([E, E, E]), b)


def _separate(query: Any, key: Any, value: Any, weights: tuple, b: Any) -> tuple:
    """Q, K and V from a weight for each."""
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(
            f"key's sequence and batch dims {list(key.shape[:2])} do not match value's {list(value.shape[:2])}"
        )
    for x, W, name in zip((query, key, value), weights, ("query", "key", "value")):
        if W is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name[0]}_proj_weight is None")
        wanted = (query.shape[-1], x.shape[-1])
        if tuple(W.shape) != wanted:
            raise AssertionError(f"expecting {name} weights shape of {wanted}, but got {tuple(W.shape)}")
    biases = (None, None, None) if b is None else b.chunk(3)
    return tuple([_linear(x, W, bias) for x, W, bias in zip((query, key, value), weights, biases)])


def _heads(x: Any, h: int) -> Any:
    """(L, N, E) as (N, h, L, E / h), a view."""
    return x.unflatten(2, (h, x.shape[2] // h)).permute(1, 2, 0, 3)


def _static(x: Any, name: str, N: int, h: int, d: int) -> Any:
    if x.shape[0] != N * h or x.shape[2] != d:
        raise AssertionError(f"expecting {name} of shape ({N * h}, S, {d}), but got {tuple(x.shape)}")
    return x.reshape(N, h, x.shape[1], d)


def _fitting(mask: Any, L: int, S: int, N: int, h: int) -> Any:
    """The mask as (L, S) or (N, h, L, S)."""
    wanted = (L, S) if mask.ndim == 2 else (N * h, L, S)
    if tuple(mask.shape) != wanted:
        raise RuntimeError(f"The shape of the {mask.ndim}D attn_mask is {list(mask.shape)}, but should be {wanted}.")
    return mask if mask.ndim == 2 else mask.reshape(N, h, L, S)


def _one_more(mask: Any) -> Any:
    """One more key, which everybody may look at."""
    if mask is None:
        return None
    zero = Tensor._wrap(np.zeros((*mask.shape[:-1], 1), mask._array.dtype))
    return cat([mask, zero], -1)


class NonDynamicallyQuantizableLinear(Linear):
    """Linear under the name that PyTorch prints for the output projection."""


class MultiheadAttention(Module):
    """``num_heads`` attentions over learned projections of the queries, keys and values; see the module's text.

    Args:
        embed_dim: features E of the queries and of the output, a multiple of num_heads.
        dropout: of the weights, in training.
        bias: whether the projections have biases.
        add_bias_kv: one more key and value, learned and the same for all.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: features of the keys and the values, if not E.
        batch_first: (N, L, E) instead of (L, N, E).

    The projections start uniform after Glorot (the three that are packed in ``in_proj_weight`` as one matrix), their
    biases at 0.
    """

    in_proj_weight: Tensor | None
    in_proj_bias: Tensor | None
    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(f"embed_dim must be divisible by num_heads, but got {embed_dim} and {num_heads}")
        new = {"device": device, "dtype": dtype}
        E = embed_dim
        sizes = {"q_proj_weight": (E, E), "k_proj_weight": (E, self.kdim), "v_proj_weight": (E, self.vdim)}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(empty(3 * E, E, **new))
            for name in sizes:
                self.register_parameter(name, None)
        else:
            for name, size in sizes.items():
                self.register_parameter(name, Parameter(empty(size, **new)))
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * E, **new)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(E, E, bias=bias, **new)
        if add_bias_kv:
            self.bias_k, self.bias_v = Parameter(empty(1, 1, E, **new)), Parameter(empty(1, 1, E, **new))
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for W in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if W is not None:
                init.xavier_uniform_(W)
        for b in (self.in_proj_bias, self.out_proj.bias):
            if b is not None:
                init.zeros_(b)
        for b in (self.bias_k, self.bias_v):
            if b is not None:
                init.xavier_normal_(b)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """(y, weights): y of the query's shape; weights (N, L, S), or (N, heads, L, S) if not averaged, or None.

        Args:
            query, key, value: (L, N, E), (S, N, kdim), (S, N, vdim), or with N first, or without N.
            key_padding_mask: (N, S), True where a key is not to be seen, or numbers to be added.
            attn_mask: (L, S) or (N · heads, L, S), True where a query must not look, or numbers to be added.
            is_causal: says that attn_mask is causal; lets it be left out of the computation where nothing else masks.
        """
        turn = self.batch_first and query.ndim == 3
        if turn:
            check_shapes(query, key, value, key_padding_mask, attn_mask, self.num_heads)
            query, key, value = _each_once(lambda x: x.transpose(0, 1), query, key, value)
        y, P = multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        if turn:
            y = y.transpose(0, 1)
            y._laid = (1, 0, 2)  # the batch is second in PyTorch's memory, which is the order of random numbers
        return y, P
