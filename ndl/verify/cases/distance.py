"""Cases of ``ndl.nn.distance``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

NORMS = [2.0, 1.0, 3.0, 1.5, 2]


@case("nn.distance.cosine_similarity")
def cosine_similarity(d: Draw) -> Program:
    shape = d.shape(min_dims=1, low=2)
    dim = d.dim(len(shape))
    return Program(
        lambda T, x1, x2: T.nn.functional.cosine_similarity(x1, x2, dim=dim), d.normal(*shape), d.normal(*shape)
    )


@case("nn.distance.cosine_similarity.broadcast")
def cosine_broadcast(d: Draw) -> Program:
    x1, x2 = d.broadcastable(2)
    dim = d.dim(max(x1.ndim, x2.ndim))
    return Program(lambda T, x1, x2: T.cosine_similarity(x1, x2, dim=dim, eps=0.01), x1, x2)


@case("nn.distance.cosine_similarity.short")
def cosine_short(d: Draw) -> Program:
    """Vectors of zeros and vectors shorter than ε."""
    shape = d.shape(min_dims=2, max_dims=2)
    return Program(
        lambda T, x1, x2: T.nn.functional.cosine_similarity(x1, x2, eps=2.0),
        d.ties(*shape),
        d.ties(*shape),
        numeric=False,
    )


@case("nn.distance.cosine_similarity.one_sided")
def cosine_one_sided(d: Draw) -> Program:
    """Only one vector of each pair has a gradient."""
    shape, one = d.shape(min_dims=2, low=2), d.integer(0, 1)
    x1, x2 = d.normal(*shape), d.normal(*shape)
    return Program(lambda T, x1, x2: T.cosine_similarity(x1, x2), x1, x2, constant=(one,))


@case("nn.distance.pairwise_distance")
def pairwise_distance(d: Draw) -> Program:
    x1, x2 = d.broadcastable(2)
    p, keepdim = d.choice([*NORMS, float("inf")]), d.boolean()
    return Program(lambda T, x1, x2: T.nn.functional.pairwise_distance(x1, x2, p=p, eps=1e-3, keepdim=keepdim), x1, x2)


@case("nn.distance.pairwise_distance.zero")
def pairwise_zero(d: Draw) -> Program:
    shape, p = d.shape(min_dims=1), d.choice([*NORMS, 0.0, float("inf")])

    def run(T, x1, x2):  # type: ignore[no-untyped-def]
        return T.pairwise_distance(x1, x2, p=p, eps=0.0) + 0 * (x1.sum() + x2.sum())  # p = 0 has no gradient at all

    return Program(run, d.ties(*shape), d.ties(*shape), numeric=False)


@case("nn.distance.normalize")
def normalize(d: Draw) -> Program:
    shape, p = d.shape(min_dims=1, low=2), d.choice(NORMS)
    dim = d.dim(len(shape))
    return Program(lambda T, x: T.nn.functional.normalize(x, p=p, dim=dim), d.normal(*shape))


@case("nn.distance.normalize.dims")
def normalize_dims(d: Draw) -> Program:
    shape = d.shape(min_dims=2)
    return Program(lambda T, x: T.nn.functional.normalize(x, dim=(0, -1)), d.normal(*shape))


@case("nn.distance.normalize.short")
def normalize_short(d: Draw) -> Program:
    """Vectors of zeros, shorter than ε, and of exactly that length."""
    shape, p = d.shape(min_dims=1), d.choice([2.0, 1.0])
    return Program(lambda T, x: T.nn.functional.normalize(x, p=p, dim=-1, eps=2.0), d.ties(*shape), numeric=False)


@case("nn.distance.CosineSimilarity")
def cosine_module(d: Draw) -> Program:
    shape = d.shape(min_dims=2, low=2)
    return Program(
        lambda T, m, x1, x2: m(x1, x2),
        d.normal(*shape),
        d.normal(*shape),
        module=lambda T: T.nn.CosineSimilarity(dim=0, eps=1e-6),
    )


@case("nn.distance.PairwiseDistance")
def pairwise_module(d: Draw) -> Program:
    shape, p, keepdim = d.shape(min_dims=1), d.choice(NORMS), d.boolean()
    x1 = np.asarray(d.normal(*shape))
    return Program(
        lambda T, m, x1, x2: m(x1, x2),
        x1,
        d.normal(*shape),
        module=lambda T: T.nn.PairwiseDistance(p=p, keepdim=keepdim),
    )
