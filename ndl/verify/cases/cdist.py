"""Cases of ``ndl.nn.cdist``."""

import numpy as np

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


@case("nn.cdist.cdist.product.ties")
def cdist_product_ties(d: Draw) -> Program:
    """Points that coincide: there the gradient is 0, also by a matrix product."""
    M, mode = d.size(1, 2), "use_mm_for_euclid_dist"
    a, b = d.integers(-2, 2, d.size(), M) * 1.0, d.integers(-2, 2, d.size(), M) * 1.0  # whose products are exact
    return Program(lambda T, a, b: T.cdist(a, b, compute_mode=mode), a, b, numeric=False)


@case("nn.cdist.cdist.one_sided")
def cdist_one_sided(d: Draw) -> Program:
    """Only one set of points has a gradient."""
    P, R, one = d.size(), d.size(), d.integer(0, 1)
    mode = d.choice(["use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"])
    a, b = d.normal(P, 3), 3 + d.normal(R, 3)
    return Program(lambda T, a, b: T.cdist(a, b, compute_mode=mode), a, b, constant=(one,))


@case("nn.cdist.cdist.many")
def cdist_many(d: Draw) -> Program:
    mode = d.choice(["use_mm_for_euclid_dist_if_necessary", "donot_use_mm_for_euclid_dist"])
    return Program(lambda T, a, b: T.cdist(a, b, compute_mode=mode), d.normal(27, 3), 3 + d.normal(2, 3), numeric=False)


@case("nn.cdist.cdist.ties")
def cdist_ties(d: Draw) -> Program:
    """Points that coincide, and differences that are equally large."""
    P, R, M, p = d.size(), d.size(), d.size(), d.choice([0.0, *NORMS])
    return Program(lambda T, a, b: T.cdist(a, b, p=p), d.ties(P, M), d.ties(R, M), numeric=False)


@case("nn.cdist.cdist.nan")
def cdist_nan(d: Draw) -> Program:
    """A coordinate that is no number, and others that are equal. For p < 1 and ∞ PyTorch drops some nan."""
    a, b, p = d.integers(-2, 2, d.size(), 2) * 1.0, d.integers(-2, 2, d.size(), 2) * 1.0, d.choice([1.0, 1.5, 3.0])
    a[0, d.integer(0, 1)] = np.nan
    return Program(lambda T, a, b: T.cdist(a, b, p=p), a, b, numeric=False)


@case("nn.cdist.pdist")
def pdist(d: Draw) -> Program:
    p = d.choice(NORMS)
    return Program(lambda T, x: T.nn.functional.pdist(x, p=p), d.normal(d.size(2), d.size(1, 4)))


@case("nn.cdist.pdist.ties")
def pdist_ties(d: Draw) -> Program:
    p = d.choice([0.0, *NORMS])
    return Program(lambda T, x: T.pdist(x, p=p), d.ties(d.size(2), d.size()), numeric=False)
