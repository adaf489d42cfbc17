"""LLaMA: a decoder-only transformer with rotary positions, SwiGLU, RMSNorm and grouped queries.

    block: x + attention(RMSNorm(x)), then x + SwiGLU(RMSNorm(x))

    SwiGLU     W_down (silu(W_gate x) ∘ W_up x)                                         Shazeer 2020
    RoPE       each pair (a, b) of a head's features is turned by the angle t θ_i:      Su et al. 2021
               a' = a cos tθ_i − b sin tθ_i,   b' = b cos tθ_i + a sin tθ_i,   θ_i = 10000^(−2i/D)

A query turned by t and a key turned by s have the product of the unturned ones turned by t − s: attention sees how far
apart two characters are, and no position is learned. Pairs are (i, i + D/2). After Touvron et al. 2023.
"""

from __future__ import annotations

import math

import ndl
from ndl import nn
from ndl.nn import functional as F


def rotary_angles(length: int, features: int, base: float = 10000.0) -> tuple[ndl.Tensor, ndl.Tensor]:
    """(cos, sin) of t θ_i, each (length, features / 2)."""
    theta = ndl.pow(base, -ndl.arange(0, features, 2, dtype=ndl.float64) / features)
    angles = ndl.arange(length, dtype=ndl.float64).unsqueeze(1) * theta
    return angles.cos().to(ndl.get_default_dtype()), angles.sin().to(ndl.get_default_dtype())


def rotate(x: ndl.Tensor, cos: ndl.Tensor, sin: ndl.Tensor) -> ndl.Tensor:
    """x (…, T, D) with every pair of features turned by its angle; cos and sin (T, D / 2)."""
    a, b = x.chunk(2, dim=-1)
    return ndl.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class GroupedAttention(nn.Module):
    """Causal attention with rotary positions; ``groups`` heads of keys and values serve ``heads`` heads of queries."""

    def __init__(self, width: int, heads: int, groups: int, block_size: int) -> None:
        super().__init__()
        if width % (2 * heads) or heads % groups:
            raise ValueError(
                f"the width must be a multiple of twice the heads, and the heads of the groups, but got {width}, {heads} "
                f"and {groups}"
            )
        self.heads, self.groups, self.features = heads, groups, width // heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, groups * self.features, bias=False)
        self.v_proj = nn.Linear(width, groups * self.features, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)
        cos, sin = rotary_angles(block_size, self.features)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        N, T, C = x.size()
        cos, sin = self.cos[:T], self.sin[:T]
        q = rotate(self.q_proj(x).view(N, T, self.heads, self.features).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(N, T, self.groups, self.features).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(N, T, self.groups, self.features).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)  # (N, heads, T, features)
        return self.o_proj(y.transpose(1, 2).reshape(N, T, C))


class SwiGLU(nn.Module):
    """W_down (silu(W_gate x) ∘ W_up x); two thirds of 4C hidden units, so that it has as many weights as an MLP of 4C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 8 * math.ceil(width / 3)
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """Attention and SwiGLU, each normalised in front and added to what came in."""

    def __init__(self, width: int, heads: int, groups: int, block_size: int) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.self_attn = GroupedAttention(width, heads, groups, block_size)
        self.post_attention_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.mlp = SwiGLU(width)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Logits (N, T, V) for the character after each of x (N, T), from those up to it. T is at most ``block_size``."""

    def __init__(
        self, vocab_size: int, block_size: int, layers: int, heads: int, width: int, groups: int | None = None
    ) -> None:
        super().__init__()
        self.block_size = block_size
        self.embed_tokens = nn.Embedding(vocab_size, width)
        self.layers = nn.ModuleList([Block(width, heads, groups or heads, block_size) for _ in range(layers)])
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.lm_head = nn.Linear(width, vocab_size, bias=False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        if x.size(1) > self.block_size:
            raise ValueError(f"the model sees at most {self.block_size} characters at once, but got {x.size(1)}")
        h = self.embed_tokens(x)
        for layer in self.layers:
            h = layer(h)
        return self.lm_head(self.norm(h))
