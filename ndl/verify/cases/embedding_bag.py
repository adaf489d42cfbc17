"""Cases of ``ndl.nn.embedding_bag``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def bags(d: Draw, size: int, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n) and where the bags begin; some bags are empty. ``last``: and where the last one ends."""
    i = d.integers(0, size - 1, d.size(0, 8))
    cuts = np.sort(d.integers(0, i.size, d.size(0, 4)))
    offsets = np.concatenate(([0], cuts, [i.size] if last else [])).astype(np.int64)
    return i, offsets


@case("nn.embedding_bag.embedding_bag")
def embedding_bag(d: Draw) -> Program:
    size, mode, last = d.size(), d.choice(["sum", "mean", "max"]), d.boolean()
    i, offsets = bags(d, size, last)
    padding = d.choice([None, d.dim(size)])

    def run(T, i, offsets, W):  # type: ignore[no-untyped-def]
        return T.nn.functional.embedding_bag(i, W, offsets, mode=mode, include_last_offset=last, padding_idx=padding)

    # PyTorch's max mode cannot be differentiated twice; ours can.
    return Program(run, i, offsets, d.normal(size, d.size()))


@case("nn.embedding_bag.embedding_bag.rows")
def rows(d: Draw) -> Program:
    """A bag in each row of the input; equal rows of the weight, so that maxima tie."""
    size, mode = d.size(), d.choice(["sum", "mean", "max"])
    i = d.integers(0, size - 1, d.size(0), d.size()).astype(d.choice([np.int32, np.int64]))
    return Program(
        lambda T, i, W: T.nn.functional.embedding_bag(i, W, mode=mode), i, d.ties(size, d.size()), numeric=False
    )


@case("nn.embedding_bag.embedding_bag.per_sample_weights")
def weighted(d: Draw) -> Program:
    size = d.size()
    i, offsets = bags(d, size, False)
    padding = d.choice([None, d.dim(size)])

    def run(T, i, offsets, W, p):  # type: ignore[no-untyped-def]
        return T.nn.functional.embedding_bag(i, W, offsets, mode="sum", per_sample_weights=p, padding_idx=padding)

    return Program(run, i, offsets, d.normal(size, d.size()), d.normal(i.size))


@case("nn.embedding_bag.EmbeddingBag")
def module(d: Draw) -> Program:
    size, mode, limit = d.size(), d.choice(["sum", "mean", "max"]), d.choice([None, 1.5])
    padding = d.choice([None, d.dim(size)])
    i = d.integers(0, size - 1, d.size(0), d.size())
    return Program(
        lambda T, m, i: m(i),
        i,
        module=lambda T: T.nn.EmbeddingBag(size, 3, max_norm=limit, mode=mode, padding_idx=padding),
        numeric=limit is None,
    )
