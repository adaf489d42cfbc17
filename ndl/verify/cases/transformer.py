"""Cases of ``ndl.nn.transformer`` and ``ndl.nn.transformer_layers``."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.multihead_attention import mask_of

SECOND = False  # the parts' second derivatives are proven where the parts are


def options(d: Draw) -> tuple[int, int, dict[str, Any]]:
    """(features, heads, options of a layer)."""
    h = d.size(1, 2)
    chosen: dict[str, Any] = {k: d.boolean() for k in ("batch_first", "norm_first", "bias")}
    return 2 * h * d.size(1, 2), h, {**chosen, "dim_feedforward": d.size(), "layer_norm_eps": d.choice([1e-5, 0.1])}


def activation(T: Any, name: str) -> Any:
    """A layer's function by its name, as a function or as a Module."""
    return {"tanh": T.tanh, "module": T.nn.GELU()}.get(name, name)


def sequence(d: Draw, length: int, batch: int, features: int, batch_first: bool) -> np.ndarray:
    return d.normal(*((batch, length) if batch_first else (length, batch)), features)


@case("nn.transformer_layers.TransformerEncoderLayer")
def encoder_layer(d: Draw) -> Program:
    E, h, chosen = options(d)
    N, S, p, f = d.size(1, 3), d.size(1, 4), d.choice([0.0, 0.0, 0.3]), d.choice(["relu", "gelu", "tanh", "module"])
    boolean, use = d.boolean(), d.integer(0, 3)
    mask, padding = mask_of(d, S, S, boolean=boolean), mask_of(d, N, S, boolean=boolean)

    def run(T: Any, m: Any, x: Any, mask: Any, padding: Any) -> Any:
        return m(x, mask if use & 1 else None, padding if use & 2 else None)

    return Program(
        run,
        sequence(d, S, N, E, chosen["batch_first"]),
        mask,
        padding,
        module=lambda T: T.nn.TransformerEncoderLayer(E, h, dropout=p, activation=activation(T, f), **chosen),
        constant=(1, 2),
        numeric=f != "relu" and not (use and not boolean),
        second=SECOND,
        seed=True,
    )


@case("nn.transformer_layers.TransformerDecoderLayer")
def decoder_layer(d: Draw) -> Program:
    E, h, chosen = options(d)
    N, L, S, p, f = d.size(1, 3), d.size(1, 4), d.size(1, 4), d.choice([0.0, 0.0, 0.3]), d.choice(["relu", "gelu"])
    use = [d.boolean() for _ in range(4)]
    masks = [mask_of(d, *shape, boolean=True) for shape in ((L, L), (L, S), (N, L), (N, S))]

    def run(T: Any, m: Any, x: Any, memory: Any, *masks: Any) -> Any:
        return m(x, memory, *[mask if u else None for mask, u in zip(masks, use)])

    return Program(
        run,
        sequence(d, L, N, E, chosen["batch_first"]),
        sequence(d, S, N, E, chosen["batch_first"]),
        *masks,
        module=lambda T: T.nn.TransformerDecoderLayer(E, h, dropout=p, activation=f, **chosen),
        numeric=f != "relu",
        second=SECOND,
        seed=True,
    )


@case("nn.transformer.TransformerEncoder")
def encoder(d: Draw) -> Program:
    """A stack with a causal mask that is detected, given as a hint, or not causal at all."""
    E, h, chosen = options(d)
    N, S, layers, norm = d.size(1, 3), d.size(1, 4), d.size(1, 2), d.boolean()
    kind = d.choice(["none", "found", "hint", "other"])
    other = mask_of(d, S, S, boolean=True)

    def run(T: Any, m: Any, x: Any, other: Any) -> Any:
        causal = T.nn.Transformer.generate_square_subsequent_mask(S, dtype=T.float64)
        mask = {"none": None, "other": other}.get(kind, causal)
        return m(x, mask, is_causal=True if kind == "hint" else None)

    def module(T: Any) -> Any:
        layer = T.nn.TransformerEncoderLayer(E, h, dropout=0.0, activation="gelu", **chosen)
        return T.nn.TransformerEncoder(layer, layers, T.nn.LayerNorm(E) if norm else None, enable_nested_tensor=False)

    x = sequence(d, S, N, E, chosen["batch_first"])
    return Program(run, x, other, module=module, second=SECOND)


@case("nn.transformer.TransformerEncoder.padded")
def padded(d: Draw) -> Program:
    """Padding in evaluation, with and without gradients: without, PyTorch packs the sequences and fills with zeros."""
    E, N, S = 2 * d.size(1, 3), d.size(1, 3), d.size(2, 4)
    nested, mask_check, gradients, holes, norm = (d.boolean() for _ in range(5))
    lengths = d.integers(2, S, N)  # so that everyone sees something: PyTorch's fused path gives nan otherwise
    lengths[0] = S
    hidden = np.arange(S) >= lengths[:, None]
    if holes:
        hidden[:, 0] = True

    def run(T: Any, m: Any, x: Any, hidden: Any) -> Any:
        m.eval()
        with T.set_grad_enabled(gradients):
            return m(x, src_key_padding_mask=hidden) * 1

    def module(T: Any) -> Any:
        layer = T.nn.TransformerEncoderLayer(E, 2, 3, 0.5, batch_first=True)
        return T.nn.TransformerEncoder(layer, 2, T.nn.LayerNorm(E) if norm else None, nested, mask_check or holes)

    return Program(run, d.normal(N, S, E), hidden, module=module, numeric=False)


@case("nn.transformer.TransformerDecoder")
def decoder(d: Draw) -> Program:
    E, h, chosen = options(d)
    N, L, S, layers, norm = d.size(1, 3), d.size(1, 4), d.size(1, 4), d.size(1, 2), d.boolean()
    causal = d.boolean()

    def run(T: Any, m: Any, x: Any, memory: Any) -> Any:
        return m(x, memory, T.nn.Transformer.generate_square_subsequent_mask(L, dtype=T.float64) if causal else None)

    def module(T: Any) -> Any:
        layer = T.nn.TransformerDecoderLayer(E, h, dropout=0.0, activation="gelu", **chosen)
        return T.nn.TransformerDecoder(layer, layers, T.nn.LayerNorm(E) if norm else None)

    x, memory = (sequence(d, n, N, E, chosen["batch_first"]) for n in (L, S))
    return Program(run, x, memory, module=module, second=SECOND)


@case("nn.transformer.Transformer")
def transformer(d: Draw) -> Program:
    E, h, chosen = options(d)
    N, L, S, p = d.size(1, 2), d.size(1, 3), d.size(1, 3), d.choice([0.0, 0.3])
    use = [d.boolean() for _ in range(6)]
    shapes = ((S, S), (L, L), (L, S), (N, S), (N, L), (N, S))
    masks = [mask_of(d, *shape, boolean=True) for shape in shapes]

    def run(T: Any, m: Any, src: Any, tgt: Any, *masks: Any) -> Any:
        return m(src, tgt, *[mask if u else None for mask, u in zip(masks, use)])

    src, tgt = (sequence(d, n, N, E, chosen["batch_first"]) for n in (S, L))
    return Program(
        run,
        src,
        tgt,
        *masks,
        module=lambda T: T.nn.Transformer(E, h, 1, 1, dropout=p, activation="gelu", **chosen),
        second=SECOND,
        seed=True,
    )
