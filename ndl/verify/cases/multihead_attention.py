"""Cases of ``ndl.nn.multihead_attention``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


def mask_of(d: Draw, *shape: int, boolean: bool) -> np.ndarray:
    """A mask that hides some places of a row but never all, as booleans or as numbers with −∞."""
    hidden = d.mask(*shape)
    hidden[..., d.integer(0, shape[-1] - 1)] = False
    return hidden if boolean else np.where(hidden, -np.inf, d.normal(*shape))


def masks(d: Draw, N: int, h: int, L: int, S: int) -> tuple[np.ndarray, np.ndarray, int]:
    """(attn_mask, key_padding_mask, which of the two to use: 1, 2, both or none)."""
    boolean = d.boolean()
    shape = (L, S) if d.boolean() else (N * h, L, S)
    padding = (N, S)
    return mask_of(d, *shape, boolean=boolean), mask_of(d, *padding, boolean=boolean), d.integer(0, 3)


@case("nn.multihead_attention.MultiheadAttention")
def self_attention(d: Draw) -> Program:
    """Self-attention with all the options that change its parameters, with and without the weights."""
    h, N, L = d.size(1, 3), d.size(1, 3), d.size(1, 4)
    E = h * d.size(1, 3)
    options = {k: d.boolean() for k in ("bias", "add_bias_kv", "add_zero_attn", "batch_first")}
    need, average = d.boolean(), d.boolean()
    attn, padding, use = masks(d, N, h, L, L)
    x = d.normal(*((N, L, E) if options["batch_first"] else (L, N, E)))

    def run(T: Any, m: Any, x: Any, attn: Any, padding: Any) -> Any:
        y, P = m(
            x,
            x,
            x,
            key_padding_mask=padding if use & 1 else None,
            need_weights=need,
            attn_mask=attn if use & 2 else None,
            average_attn_weights=average,
        )
        return (y, P) if need else y

    return Program(
        run,
        x,
        attn,
        padding,
        module=lambda T: T.nn.MultiheadAttention(E, h, **options),
        constant=(1, 2),
        numeric=not (use and attn.dtype.kind == "f"),
        second=False,  # slow; the next case's are the same
    )


@case("nn.multihead_attention.MultiheadAttention.encoder_decoder")
def encoder_decoder(d: Draw) -> Program:
    """Queries of one sequence, keys and values of another, the same or two, of other sizes, with and without a batch."""
    h, N, L, S = d.size(1, 3), d.size(1, 3), d.size(1, 4), d.size(1, 4)
    E = h * d.size(1, 3)
    kind = d.choice(["same", "two", "other sizes"])
    kdim, vdim = (d.size(), d.size()) if kind == "other sizes" else (E, E)
    batch_first, batched, need, bias = d.boolean(), d.boolean(), d.boolean(), d.boolean()

    def sequence(length: int, features: int) -> np.ndarray:
        batch = (N, length) if batch_first else (length, N)
        return d.normal(*(batch if batched else (length,)), features)

    q, k, v = sequence(L, E), sequence(S, kdim), sequence(S, vdim)

    def run(T: Any, m: Any, q: Any, k: Any, v: Any) -> Any:
        y, P = m(q, k, k if kind == "same" else v, need_weights=need)
        return (y, P) if need else y

    def module(T: Any) -> Any:
        return T.nn.MultiheadAttention(E, h, bias=bias, kdim=kdim, vdim=vdim, batch_first=batch_first)

    return Program(run, q, k, v, module=module)


@case("nn.multihead_attention.MultiheadAttention.is_causal")
def causal(d: Draw) -> Program:
    h, N, L = d.size(1, 3), d.size(1, 3), d.size(1, 4)
    E, need, batch_first = h * d.size(1, 3), d.boolean(), d.boolean()
    pad = d.boolean()
    hidden = np.zeros((N, L), bool)

    def run(T: Any, m: Any, x: Any, hidden: Any) -> Any:
        mask = T.nn.Transformer.generate_square_subsequent_mask(L, dtype=x.dtype)
        y, P = m(x, x, x, hidden.to(x.dtype) if pad else None, need_weights=need, attn_mask=mask, is_causal=True)
        return (y, P) if need else y

    x = d.normal(*((N, L, E) if batch_first else (L, N, E)))
    return Program(
        run, x, hidden, module=lambda T: T.nn.MultiheadAttention(E, h, batch_first=batch_first), second=False
    )


@case("nn.multihead_attention.MultiheadAttention.dropout")
def dropout(d: Draw) -> Program:
    h, N, L = d.size(1, 3), d.size(1, 3), d.size(1, 4)
    E, need, evaluate = h * d.size(1, 3), d.boolean(), d.boolean()

    def run(T: Any, m: Any, x: Any) -> Any:
        m.train(not evaluate)
        y, P = m(x, x, x, need_weights=need)
        return (y, P) if need else y

    return Program(run, d.normal(L, N, E), module=lambda T: T.nn.MultiheadAttention(E, h, 0.4), seed=True, second=False)


@case("nn.multihead_attention.multi_head_attention_forward")
def forward(d: Draw) -> Program:
    """The function with keys and values that are already projected."""
    h, N, L, S, f = d.size(1, 3), d.size(1, 3), d.size(1, 4), d.size(1, 4), d.size(1, 3)
    E, need = h * f, d.boolean()
    inputs = [d.normal(L, N, E), d.normal(3 * E, E), d.normal(3 * E), d.normal(E, E), d.normal(E)]
    static = [d.normal(N * h, S, f), d.normal(N * h, S, f)]

    def run(T: Any, x: Any, W: Any, b: Any, W_O: Any, b_O: Any, k: Any, v: Any) -> Any:
        y, P = T.nn.functional.multi_head_attention_forward(
            x, x, x, E, h, W, b, None, None, False, 0.0, W_O, b_O, need_weights=need, static_k=k, static_v=v
        )
        return (y, P) if need else y

    return Program(run, *inputs, *static, second=False)
