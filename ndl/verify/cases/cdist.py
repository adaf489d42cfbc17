"""Cases of ``ndl.nn.cdist``."""

from ndl.verify.case import Draw, Program, case

NORMS = [2.0, 1.0, 3.0, 1.5, 0.5, float("inf")]


@case("nn.cdist.cdist")
def cdist(d: Draw) -> Program:
    batch, P, R, M, p = d.shape(0, 2), d.size(), d.size(), d.size(1, 4), d.choice(NORMS)
    return Program(lambda T, a, b: T.cdist(a, b, p=p), d.normal(*batch, P, M), d.normal(*batch, R, M))


@case("nn.cdist.cdist.broadcast")
def cdist_broadcast(d: Draw) -> Program:
    n, m, p = d.size(1, 3), d.size(1, 3), d.choice(NORMS)
    return Program(lambda T, a, b: T.cdist(a, b, p=p), d.normal(n, 1, 3, 2), d.normal(m, 4, 2))


@case("nn.cdist.cdist.product")
def cdist_product(d: Draw) -> Program:
    """p = 2 by a matrix product, as it is for many points."""
    batch, P, R, M = d.shape(0, 1), d.size(), d.size(), d.size(2, 4)
    mode = "use_mm_for_euclid_dist"
    return Program(lambda T, a, b: T.cdist(a, b, compute_mode=mode), d.normal(*batch, P, M), 3 + d.normal(*batch, R, M))


@case("nn.cdist.cdist.many")
def cdist_many(d: Draw) -> Program:
    mode = d.choice(["use_mm_for_euclid_dist_if_necessary", "donot_use_mm_for_euclid_dist"])
    return Program(lambda T, a, b: T.cdist(a, b, compute_mode=mode), d.normal(27, 3), 3 + d.normal(2, 3), numeric=False)


@case("nn.cdist.cdist.ties")
def cdist_ties(d: Draw) -> Program:
    """Points that coincide, and differences that are equally large."""
    P, R, M, p = d.size(), d.size(), d.size(), d.choice([0.0, *NORMS])
    return Program(lambda T, a, b: T.cdist(a, b, p=p), d.ties(P, M), d.ties(R, M), numeric=False)


@case("nn.cdist.pdist")
def pdist(d: Draw) -> Program:
    p = d.choice(NORMS)
    return Program(lambda T, x: T.nn.functional.pdist(x, p=p), d.normal(d.size(2), d.size(1, 4)))


@case("nn.cdist.pdist.ties")
def pdist_ties(d: Draw) -> Program:
    p = d.choice([0.0, *NORMS])
    return Program(lambda T, x: T.pdist(x, p=p), d.ties(d.size(2), d.size()), numeric=False)
