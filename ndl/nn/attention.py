"""Scaled dot-product attention: every query looks at all keys and takes a weighted mean of their values.

    s_ij = scale · q_i · k_j + b_ij          P = softmax of each row of s          y_i = Σ_j P_ij v_j

    dv_j = Σ_i P_ij dy_i                     dP_ij = dy_i · v_j
    ds_ij = P_ij (dP_ij − Σ_n P_in dP_in)    which is softmax's own backward
    dq_i = scale · Σ_j ds_ij k_j             dk_j = scale · Σ_i ds_ij q_i          db_ij = ds_ij

b is the mask: −∞ where i must not see j, so that P_ij and all that flows through it are exactly 0; with is_causal
that is j > i. With dropout, y = (P ∘ m) v and dP = (dy vᵀ) ∘ m. Vaswani et al. 2017. The passes that train are
``ndl/kernels/attention.py``. Derivation: docs/blocks/attention.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.attention import attend, attend_backward
from ndl.nn.dropout import mask as dropout_mask
from ndl.nn.softmax import softmax
from ndl.ops.dims import values
from ndl.ops.elementwise import keep as keep_where
from ndl.ops.masking import masked_fill
from ndl.ops.promotion import array_of, cast
from ndl.ops.repeating import repeat_interleave
from ndl.ops.shape import reshape, unsqueeze

__all__ = ["scaled_dot_product_attention"]


class AttentionFunction(ArrayFunction):
    """y = softmax(scale q kᵀ + b) v, with the backward of the module's text.

    q (…, L, D), k (…, S, D), v (…, S, V); ``b`` None, a bool array (True: may look) or a float one to be added, that
    broadcasts to (…, L, S); ``m`` (…, L, S): dropout's mask, or None.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: np.ndarray,
        k: np.ndarray,
        v: np.ndarray,
        b: np.ndarray | None,
        causal: bool,
        m: np.ndarray | None,
        scale: float,
    ) -> np.ndarray:
        batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
        ctx.batch, ctx.causal, ctx.m, ctx.scale = batch, causal, m, scale
        scores = (*batch, q.shape[-2], k.shape[-2])
        bias = may_look = None
        if causal:
            may_look = np.broadcast_to(np.tri(*scores[-2:], dtype=q.dtype), scores)
        elif b is not None and b.dtype.kind == "b":
            may_look = np.broadcast_to(b.astype(q.dtype), scores)
        elif b is not None:
            bias = np.broadcast_to(b, scores)
        Q, K, V = [over(batch, a) for a in (q, k, v)]
        y, ctx.E, ctx.l = attend(Q, K, V, scale, bias, may_look, m)
        ctx.save_for_backward(q, k, v, b, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        q, k, v, b, y = ctx.saved_tensors
        if ctx.recording:
            return *_recorded_backward(ctx, dy, q, k, v, b), None, None, None
        Q, K, V = [over(ctx.batch, a) for a in (q, k, v)]
        grads = attend_backward(dy, Q, K, V, y, ctx.E, ctx.l, ctx.scale, ctx.m, ctx.needs_input_grad)
        return *grads, None, None, None


def over(batch: tuple, a: np.ndarray) -> np.ndarray:
    """``a`` with the leading dimensions ``batch``, without a copy."""
    return a if a.shape[:-2] == batch else np.broadcast_to(a, (*batch, *a.shape[-2:]))


def _recorded_backward(ctx: Any, dy: Any, q: Any, k: Any, v: Any, b: Any) -> tuple:
    """(dq, dk, dv, db) by operations that can be differentiated again, from P made anew."""
    s = q @ k.mT * ctx.scale  # (…, L, S)
    hidden = np.zeros((1, 1), bool)
    if ctx.causal:
        hidden = np.tri(*s.shape[-2:]) == 0
    elif b is not None and array_of(b).dtype.kind == "b":
        hidden = ~array_of(b)
    elif b is not None:
        s = s + b
        hidden = np.isneginf(array_of(b))
    dead = np.broadcast_to(hidden, s.shape).all(axis=-1, keepdims=True)  # rows that may look nowhere
    s = masked_fill(s, np.broadcast_to(hidden, s.shape), -math.inf)
    P = keep_where(softmax(masked_fill(s, np.broadcast_to(dead, s.shape), 0.0), -1), ~dead)
    dP = dy @ v.mT  # (…, L, S)
    Pm = P
    if ctx.m is not None:
        dP, Pm = dP * ctx.m, P * ctx.m
    ds = P * dP
    ds = ds - P * ds.sum(-1, keepdim=True)
    dq = ds @ k * ctx.scale  # (…, L, D)
    dk = ds.mT @ q * ctx.scale  # (…, S, D)
    dv = Pm.mT @ dy  # (…, S, V)
    return dq, dk, dv, ds if ctx.needs_input_grad[3] else None


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(scale · q kᵀ + mask) v: (…, L, D), (…, S, D), (…, S, V) -> (…, L, V); see the module's text.

    Args:
        attn_mask: broadcasts to (…, L, S). Booleans: True where the query may look at the key (the contrary of
            ``MultiheadAttention``'s). Floats, of the query's type or float32: added to the scores; they get a
            gradient, too.
        dropout_p: drops weights, also in evaluation: give 0.0 there. The same seed gives PyTorch's mask.
        is_causal: query i looks at the keys 0 … i only.
        scale: default 1 / √D.
        enable_gqa: query may have a multiple of the heads (…, heads, L, D) of key and value; neighbours share one.

    A query that may look nowhere gets 0. Raises RuntimeError for shapes and types that do not go together, and for a
    mask beside is_causal.
    """
    q, k, v = [
        values(x, "scaled_dot_product_attention", name, i + 1)
        for i, (x, name) in enumerate([(query, "query"), (key, "key"), (value, "value")])
    ]
    b = None if attn_mask is None else values(attn_mask, "scaled_dot_product_attention", "attn_mask", 4)
    _check(q, k, v, b, is_causal, dropout_p)
    if b is not None and b.dtype.kind == "f":
        attn_mask = cast(attn_mask, q.dtype)
    if enable_gqa:
        if min(q.ndim, k.ndim, v.ndim) < 3:
            raise IndexError(
                "Dimension out of range: enable_gqa needs a dimension of heads, (…, heads, length, features), but query, "
                f"key and value are {q.ndim}-, {k.ndim}- and {v.ndim}-dimensional"
            )
        if not q.shape[-3] == k.shape[-3] == v.shape[-3]:
            return _grouped(query, key, value, attn_mask, dropout_p, is_causal, scale)
    try:
        batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"scaled_dot_product_attention: the leading dimensions of query {list(q.shape)}, key {list(k.shape)} and "
            f"value {list(v.shape)} do not broadcast; query may have more heads than key and value with enable_gqa=True"
        ) from None
    scores = (*batch, q.shape[-2], k.shape[-2])
    if b is not None:
        _check_mask(b, scores)
    if scale is None:
        scale = 1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0
    m = array_of(dropout_mask(scores, q.dtype, dropout_p)) if dropout_p > 0 else None
    return AttentionFunction.apply(query, key, value, attn_mask, is_causal, m, float(scale))


def _grouped(query: Any, key: Any, value: Any, mask: Any, dropout_p: float, causal: bool, scale: float | None) -> Any:
    """More heads of queries than of keys and values: each of these is broadcast over the queries of its group."""
    heads, groups, others = [array_of(x).shape[-3] for x in (query, key, value)]
    if heads % max(groups, 1) or heads % max(others, 1):
        raise RuntimeError(
            f"Number of heads in key ({groups}) and value ({others}) must divide the number of heads in query ({heads})"
        )
    if groups != others:
        key, value = repeat_interleave(key, heads // groups, -3), repeat_interleave(value, heads // others, -3)
        return scaled_dot_product_attention(query, key, value, mask, dropout_p, causal, scale=scale)
    q = _split_heads(query, groups)  # (…, groups, heads of a group, L, D)
    if mask is not None and array_of(mask).ndim >= 3:
        mask = _split_heads(mask, groups) if array_of(mask).shape[-3] == heads else unsqueeze(mask, -3)
    k, v = unsqueeze(key, -3), unsqueeze(value, -3)  # (…, groups, 1, S, D)
    y = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal, scale=scale)
    shape = array_of(y).shape
    return reshape(y, (*shape[:-4], heads, *shape[-2:]))


def _split_heads(x: Any, groups: int) -> Any:
    *lead, heads, n, d = array_of(x).shape
    return reshape(x, (*lead, groups, heads // groups, n, d))


def _check(q: np.ndarray, k: np.ndarray, v: np.ndarray, b: np.ndarray | None, causal: bool, p: float) -> None:
    what = f"query {list(q.shape)}, key {list(k.shape)}, value {list(v.shape)}"
    if not q.dtype == k.dtype == v.dtype or q.dtype.kind != "f":
        raise RuntimeError(
            "Expected query, key, and value to have the same floating dtype, but got query.dtype: "
            f"{as_dtype(q.dtype)} key.dtype: {as_dtype(k.dtype)} and value.dtype: {as_dtype(v.dtype)} instead; convert "
            "them with .to(dtype)"
        )
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(f"Expected query, key, and value to all be at least 2 dimensional, but got {what}")
    if q.shape[-1] != k.shape[-1]:
        raise RuntimeError(f"query and key must have as many features as each other (last dimension), but got {what}")
    if k.shape[-2] != v.shape[-2]:
        raise RuntimeError(f"key and value must be equally long (dimension -2), but got {what}")
    if p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if b is not None and causal:
        raise RuntimeError(
            "scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True; combine the two"
        )
    if b is not None and b.dtype not in (np.bool_, np.float32, q.dtype):
        raise RuntimeError(
            f"Expected attn_mask dtype to be bool, float32 or to match query dtype, but got attn_mask.dtype: "
            f"{as_dtype(b.dtype)} and query.dtype: {as_dtype(q.dtype)} instead"
        )
    if b is not None and b.ndim < 2 and q.ndim == k.ndim == v.ndim == 4 and p == 0:  # as PyTorch's kernel for heads
        raise IndexError(
            f"attn_mask must have at least 2 dimensions, (…, length of query, length of key), but got {list(b.shape)}"
        )


def _check_mask(b: np.ndarray, scores: tuple) -> None:
    try:
        fits = np.broadcast_shapes(b.shape, scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"attn_mask of shape {list(b.shape)} must broadcast to the shape of the scores, {list(scores)}: (…, length "
            "of query, length of key)"
        )
