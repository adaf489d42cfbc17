"""What the cases of ``ndl.nn.rnn``, ``lstm`` and ``gru`` share: random networks over random sequences."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program


def network(d: Draw, kind: str, **options: Any) -> Program:
    """Any options; padded, unbatched or packed sequences; with a state to begin with, or without one."""
    I, H, T, B = d.size(1, 3), d.size(2, 4), d.size(1, 5), d.size(1, 4)
    L, D = d.size(1, 2), d.size(1, 2)
    options |= {"num_layers": L, "bidirectional": D == 2, "bias": d.boolean(), "batch_first": d.boolean()}
    form, given = d.choice(["batched", "batched", "unbatched", "packed"]), d.boolean()
    options["dropout"] = d.choice([0.0, 0.4]) if L == 2 else 0.0
    batch = () if form == "unbatched" else (B,)
    x = d.normal(*batch, T, I) if options["batch_first"] else d.normal(T, *batch, I)
    states = [d.normal(L * D, *batch, options.get("proj_size") or H), d.normal(L * D, *batch, H)]
    states = states[: 2 if kind == "LSTM" else 1] if given else []
    lengths = [int(n) for n in d.integers(1, T, B)]

    def run(T, m, x, *states):  # type: ignore[no-untyped-def]
        rnn = T.nn.utils.rnn
        hx = None if not states else states if kind == "LSTM" else states[0]
        if form != "packed":
            return m(x, hx)
        packed = rnn.pack_padded_sequence(x, lengths, m.batch_first, enforce_sorted=False)
        y, ends = m(packed, hx)
        return rnn.pad_packed_sequence(y, m.batch_first, padding_value=1.5)[0], ends

    return Program(run, x, *states, module=lambda T: getattr(T.nn, kind)(I, H, **options), seed=True)


def many(d: Draw, kind: str, **options: Any) -> Program:
    """So many sequences that threads share them, of all lengths, some of which the later shares do not reach."""
    T, B, D = d.size(2, 4), d.integer(16, 19), d.size(1, 2)
    bias, given, equal = d.boolean(), d.boolean(), d.boolean()
    lengths = [T] * B if equal else [int(n) for n in d.integers(1, T, B)]
    x = d.normal(B, T, 2)
    states = [d.normal(D, B, options.get("proj_size") or 3), d.normal(D, B, 3)][: 2 if kind == "LSTM" else 1]
    constant = d.choice([(), (0,), tuple(range(1, len(states) + 1))]) if given else ()
    frozen = d.integer(0, 3) == 0 and 0 not in constant

    def run(T, m, x, *states):  # type: ignore[no-untyped-def]
        rnn = T.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        y, ends = m(packed, None if not states else states if kind == "LSTM" else states[0])
        return rnn.pad_packed_sequence(y, True)[0], ends

    def make(T):  # type: ignore[no-untyped-def]
        return getattr(T.nn, kind)(2, 3, bidirectional=D == 2, bias=bias, **options).requires_grad_(not frozen)

    inputs = [x, *(states if given else [])]
    return Program(run, *inputs, module=make, constant=constant, numeric=False, second=not frozen)


def cell(d: Draw, kind: str, **options: Any) -> Program:
    """A cell used for several steps, on a batch or without one."""
    I, H, T, bias = d.size(1, 4), d.size(1, 4), d.size(1, 3), d.boolean()
    batch = (d.size(1, 4),) if d.boolean() else ()
    states = [d.normal(*batch, H) for _ in range(2 if kind == "LSTMCell" else 1)] if d.boolean() else []

    def run(T, m, x, *states):  # type: ignore[no-untyped-def]
        hx = None if not states else states if kind == "LSTMCell" else states[0]
        ys = []
        for x_t in x:
            hx = m(x_t, hx)
            ys.append(hx)
        return ys

    return Program(run, d.normal(T, *batch, I), *states, module=lambda T: getattr(T.nn, kind)(I, H, bias, **options))
