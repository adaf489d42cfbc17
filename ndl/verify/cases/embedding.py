"""Cases of ``ndl.nn.embedding``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def indices(d: Draw, size: int) -> np.ndarray:
    """Numbers below ``size`` of any shape, few enough different ones that some repeat."""
    i = d.integers(0, size - 1, *d.shape(0, 3, low=0))
    return i.astype(np.int32) if d.boolean() else i


@case("nn.embedding.embedding")
def embedding(d: Draw) -> Program:
    size = d.size()
    padding = d.choice([None, d.dim(size)])
    i, W = indices(d, size), d.normal(size, d.size())
    sparse = d.boolean()

    def run(T, i, W):  # type: ignore[no-untyped-def]
        y = T.nn.functional.embedding(i, W * 1, padding_idx=padding, sparse=sparse and T.__name__ == "ndl")
        return y * y  # so that dy differs between places that read the same row

    return Program(run, i, W, numeric=padding is None)  # what the padding row is refused is no derivative


@case("nn.embedding.embedding.scale_grad_by_freq")
def by_frequency(d: Draw) -> Program:
    """The mean over a row's uses; PyTorch cannot record this backward, ndl can."""
    size = d.size()
    padding = d.choice([None, d.dim(size)])
    i, W = indices(d, size), d.normal(size, d.size())

    def run(T, i, W):  # type: ignore[no-untyped-def]
        return T.nn.functional.embedding(i, W, padding_idx=padding, scale_grad_by_freq=True)

    return Program(run, i, W, numeric=False)  # its gradient is, on purpose, not the derivative


@case("nn.embedding.embedding.max_norm")
def max_norm(d: Draw) -> Program:
    size, limit, p = d.size(), d.choice([0.5, 1.0, 3.0]), d.choice([1.0, 2.0, 3.0, float("inf")])
    i, W = indices(d, size), d.normal(size, d.size())

    def run(T, i, W):  # type: ignore[no-untyped-def]
        V = W.detach().clone().requires_grad_()
        y = T.nn.functional.embedding(i, V, max_norm=limit, norm_type=p)
        return y, V * 1

    return Program(run, i, W, numeric=False)  # the scaling is unseen by the graph


@case("nn.embedding.Embedding")
def module(d: Draw) -> Program:
    size, dim = d.size(), d.size()
    padding = d.choice([None, d.dim(size)])
    scale, limit = d.boolean(), d.choice([None, None, 1.5])
    return Program(
        lambda T, m, i: m(i),
        indices(d, size),
        module=lambda T: T.nn.Embedding(size, dim, padding, max_norm=limit, scale_grad_by_freq=scale),
        numeric=padding is None and not scale and limit is None,
    )


@case("nn.embedding.Embedding.twice")
def twice(d: Draw) -> Program:
    """Read twice and used as a matrix, too, as tied weights are."""
    size = d.size()

    def run(T, m, i):  # type: ignore[no-untyped-def]
        return T.nn.functional.linear(m(i) + m(i.flip(0)), m.weight)

    return Program(run, d.integers(0, size - 1, d.size(), d.size()), module=lambda T: T.nn.Embedding(size, 3))


@case("nn.embedding.one_hot")
def one_hot(d: Draw) -> Program:
    size = d.size()
    t, classes = d.integers(0, size - 1, *d.shape(0, 3)), d.choice([-1, size, size + 2])
    return Program(lambda T, t: T.nn.functional.one_hot(t, classes), t)
