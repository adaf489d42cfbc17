"""GPT: a decoder-only transformer, as small as nanoGPT has it.

    x (N, T) characters -> token + position embeddings (N, T, C) -> blocks -> LayerNorm -> logits (N, T, V)
    block: x + attention(LN(x)), then x + MLP(LN(x)); MLP: C -> 4C -> GELU -> C

The logits' weight is the token embedding's. After Radford et al. 2019 (GPT-2) and A. Karpathy's nanoGPT, whose names the
parameters have.
"""

from __future__ import annotations

import math

import ndl
from ndl import nn
from ndl.nn import functional as F


class CausalSelfAttention(nn.Module):
    """Attention of each character to itself and those before it."""

    def __init__(self, width: int, heads: int, bias: bool, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"the width must be a multiple of the number of heads, but got {width} and {heads}")
        self.c_attn = nn.Linear(width, 3 * width, bias=bias)
        self.c_proj = nn.Linear(width, width, bias=bias)
        self.resid_dropout = nn.Dropout(dropout)
        self.heads, self.dropout = heads, dropout

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        N, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        q = q.view(N, T, self.heads, C // self.heads).transpose(1, 2)  # (N, heads, T, C / heads)
        k = k.view(N, T, self.heads, C // self.heads).transpose(1, 2)
        v = v.view(N, T, self.heads, C // self.heads).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(N, T, C)
        return self.resid_dropout(self.c_proj(y))


class MLP(nn.Module):
    """The network that each character goes through by itself."""

    def __init__(self, width: int, bias: bool, dropout: float) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width, bias=bias)
        self.gelu = nn.GELU()
        self.c_proj = nn.Linear(4 * width, width, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        return self.dropout(self.c_proj(self.gelu(self.c_fc(x))))


class Block(nn.Module):
    """Attention and MLP, each normalised in front and added to what came in."""

    def __init__(self, width: int, heads: int, bias: bool, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, bias=bias)
        self.attn = CausalSelfAttention(width, heads, bias, dropout)
        self.ln_2 = nn.LayerNorm(width, bias=bias)
        self.mlp = MLP(width, bias, dropout)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """Logits (N, T, V) for the character after each of x (N, T), from those up to it. T is at most ``block_size``."""

    def __init__(
        self,
        vocab_size: int,
        block_size: int,
        layers: int,
        heads: int,
        width: int,
        bias: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab_size, width),
                "wpe": nn.Embedding(block_size, width),
                "drop": nn.Dropout(dropout),
                "h": nn.ModuleList([Block(width, heads, bias, dropout) for _ in range(layers)]),
                "ln_f": nn.LayerNorm(width, bias=bias),
            }
        )
        self.lm_head = nn.Linear(width, vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        self.apply(_initialise)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):  # 2 sums in each layer: keep the variance of the whole
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers))

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        T = x.size(1)
        if self.block_size < T:
            raise ValueError(f"the model sees at most {self.block_size} characters at once, but got {T}")
        position = ndl.arange(T)
        h = self.transformer["drop"](self.transformer["wte"](x) + self.transformer["wpe"](position))
        for block in self.transformer["h"]:
            h = block(h)
        return self.lm_head(self.transformer["ln_f"](h))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
