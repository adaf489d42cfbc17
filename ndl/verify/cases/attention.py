"""Cases of ``ndl.nn.attention``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def queries_keys_values(d: Draw, low: int = 1) -> tuple[tuple, np.ndarray, np.ndarray, np.ndarray]:
    """(shape of the scores, q, k, v) with zero to two leading dimensions and odd sizes."""
    lead = d.shape(0, 2, high=3)
    L, S, D, V = d.size(low), d.size(low), d.size(), d.size()
    return (*lead, L, S), d.normal(*lead, L, D), d.normal(*lead, S, D), d.normal(*lead, S, V)


@case("nn.attention.scaled_dot_product_attention")
def attention(d: Draw) -> Program:
    _, q, k, v = queries_keys_values(d)
    causal, scale = d.boolean(), d.choice([None, 0.7, -1.5])

    def run(T, q, k, v):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale)

    return Program(run, q, k, v)


@case("nn.attention.scaled_dot_product_attention.bool_mask")
def bool_mask(d: Draw) -> Program:
    """Where a query may look; some may look nowhere and get 0."""
    scores, q, k, v = queries_keys_values(d)
    mask = d.mask(*scores[d.integer(0, len(scores) - 2) :])

    def run(T, q, k, v, mask):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, mask)

    return Program(run, q, k, v, mask)


@case("nn.attention.scaled_dot_product_attention.float_mask")
def float_mask(d: Draw) -> Program:
    """A bias that is learned."""
    scores, q, k, v = queries_keys_values(d)
    shape = [1 if d.integer(0, 4) == 0 else n for n in scores[d.integer(0, len(scores) - 2) :]]

    def run(T, q, k, v, bias):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, bias)

    return Program(run, q, k, v, d.normal(*shape))


@case("nn.attention.scaled_dot_product_attention.infinite_mask")
def infinite_mask(d: Draw) -> Program:
    """−∞ where the mask hides, whole rows included."""
    scores, q, k, v = queries_keys_values(d)
    bias = np.where(d.mask(*scores[-2:]), d.normal(*scores[-2:]), -np.inf)

    def run(T, q, k, v, bias):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, bias)

    return Program(run, q, k, v, bias, numeric=False)


@case("nn.attention.scaled_dot_product_attention.large")
def large(d: Draw) -> Program:
    """Scores whose exponentials overflow, with and without a mask.

    Their softmax is saturated: dq = 40 Σ ds (40 k), where ds is a difference of equal numbers.
    """
    scores, q, k, v = queries_keys_values(d)
    mask, causal = d.mask(*scores[-2:]), d.boolean()

    def run(T, q, k, v, mask):  # type: ignore[no-untyped-def]
        mask = None if causal else mask
        return T.nn.functional.scaled_dot_product_attention(q * 40, k * 40, v, mask, is_causal=causal)

    return Program(run, q, k, v, mask, numeric=False, terms=1600.0)


@case("nn.attention.scaled_dot_product_attention.dropout")
def dropout(d: Draw) -> Program:
    _, q, k, v = queries_keys_values(d)
    p, causal = d.choice([0.2, 0.5, 1.0]), d.boolean()

    def run(T, q, k, v):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=causal)

    return Program(run, q, k, v, seed=True)


@case("nn.attention.scaled_dot_product_attention.enable_gqa")
def grouped(d: Draw) -> Program:
    """More heads of queries than of keys and values, with every kind of mask."""
    n, groups, each, L, S, D = d.size(1, 3), d.size(1, 3), d.size(1, 3), d.size(), d.size(), d.size()
    kind = d.choice(["none", "causal", "matrix", "heads", "one head"])
    lead = (n,) if kind in ("heads", "one head") or d.boolean() else ()
    q = d.normal(*lead, groups * each, L, D)
    k, v = d.normal(*lead, groups, S, D), d.normal(*lead, groups, S, d.size())
    shape = {"heads": (*lead, groups * each, L, S), "one head": (*lead, 1, L, S)}.get(kind, (L, S))
    mask = d.normal(*shape)

    def run(T, q, k, v, mask):  # type: ignore[no-untyped-def]
        b = mask if kind in ("matrix", "heads", "one head") else None
        return T.nn.functional.scaled_dot_product_attention(q, k, v, b, is_causal=kind == "causal", enable_gqa=True)

    return Program(run, q, k, v, mask)


@case("nn.attention.scaled_dot_product_attention.broadcast")
def broadcast(d: Draw) -> Program:
    """Keys and values shared by all queries of the batch."""
    n, h, L, S, D = d.size(1, 3), d.size(1, 3), d.size(), d.size(), d.size()
    q, k, v = d.normal(n, h, L, D), d.normal(1, h, S, D), d.normal(S, D)
    return Program(lambda T, q, k, v: T.nn.functional.scaled_dot_product_attention(q, k, v), q, k, v)


@case("nn.attention.scaled_dot_product_attention.constant")
def constant(d: Draw) -> Program:
    """Some of q, k, v and the bias are not trained."""
    scores, q, k, v = queries_keys_values(d)
    trained = d.choice([(0,), (1,), (2,), (3,), (0, 2), (1, 2), (0, 3)])
    rest = tuple(i for i in range(4) if i not in trained)

    def run(T, q, k, v, bias):  # type: ignore[no-untyped-def]
        return T.nn.functional.scaled_dot_product_attention(q, k, v, bias)

    return Program(run, q, k, v, d.normal(*scores[-2:]), constant=rest)


@case("nn.attention.scaled_dot_product_attention.heads")
def heads(d: Draw) -> Program:
    """As models call it: heads cut out of one projection by views, and joined again."""
    n, L, h, D = d.size(1, 3), d.size(), d.size(1, 3), d.size()

    def run(T, x):  # type: ignore[no-untyped-def]
        q, k, v = [t.view(n, L, h, D).transpose(1, 2) for t in x.split(h * D, dim=2)]
        y = T.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).contiguous().view(n, L, h * D)

    return Program(run, np.ascontiguousarray(d.normal(n, L, 3 * h * D)))
