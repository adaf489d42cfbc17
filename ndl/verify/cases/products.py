"""Cases of ``ndl.ops.products``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("ops.products.matmul")
def matmul(d: Draw) -> Program:
    n, k, m = d.size(0, 5), d.size(0, 5), d.size(0, 5)
    batch = d.shape(0, 2)
    left = d.choice([(k,), (n, k), (*batch, n, k), (1, n, k)])
    right = d.choice([(k,), (k, m), (*batch, k, m)])
    return Program(lambda T, x, y: T.matmul(x, y), d.normal(*left), d.normal(*right))


@case("ops.products.operator")
def operator(d: Draw) -> Program:
    n, k, m = d.size(), d.size(), d.size()
    return Program(lambda T, x, y: x @ y, d.normal(n, k), d.normal(k, m))


@case("ops.products.two_dimensional")
def two_dimensional(d: Draw) -> Program:
    n, k, m = d.size(), d.size(), d.size()

    def run(T, x, y, v, w):  # type: ignore[no-untyped-def]
        return T.mm(x, y), T.mv(x, v), T.dot(v, w), T.outer(v, w), T.inner(x, v), x.mm(y), v.dot(w), T.vdot(v, w)

    return Program(run, d.normal(n, k), d.normal(k, m), d.normal(k), d.normal(k))


@case("ops.products.bmm")
def bmm(d: Draw) -> Program:
    b, n, k, m = d.size(0), d.size(), d.size(), d.size()
    return Program(lambda T, x, y: T.bmm(x, y), d.normal(b, n, k), d.normal(b, k, m))


@case("ops.products.addmm")
def addmm(d: Draw) -> Program:
    n, k, m = d.size(), d.size(), d.size()
    beta, alpha = d.choice([0, 1, 0.5]), d.choice([1, -2])

    def run(T, c, x, y, v):  # type: ignore[no-untyped-def]
        return (
            T.addmm(c, x, y, beta=beta, alpha=alpha),
            T.addmv(c[:, 0], x, v, beta=beta, alpha=alpha),
            T.addr(c[0, 0] + x, c[:, 0], v, beta=beta, alpha=alpha),
            c.addmm(x, y),
            (c * 1).addmm_(x, y),
        )

    return Program(run, d.normal(n, m), d.normal(n, k), d.normal(k, m), d.normal(k))


@case("ops.products.baddbmm")
def baddbmm(d: Draw) -> Program:
    b, n, k, m = d.size(), d.size(), d.size(), d.size()

    def run(T, c, x, y):  # type: ignore[no-untyped-def]
        return T.baddbmm(c, x, y, beta=0.5, alpha=2), T.addbmm(c[0], x, y, beta=2, alpha=0.5)

    return Program(run, d.normal(b, n, m), d.normal(b, n, k), d.normal(b, k, m))


@case("ops.products.tensordot")
def tensordot(d: Draw) -> Program:
    a, b, c, e = d.size(), d.size(), d.size(), d.size()
    if d.boolean():
        return Program(lambda T, x, y: T.tensordot(x, y, dims=2), d.normal(a, b, c), d.normal(b, c, e))
    return Program(lambda T, x, y: T.tensordot(x, y, dims=([0, 2], [1, 0])), d.normal(a, b, c), d.normal(c, a, e))


@case("ops.products.kron")
def kron(d: Draw) -> Program:
    # PyTorch 2.13 refuses operands that are not contiguous.
    x, y = (np.ascontiguousarray(d.normal(*d.shape(0, 3))) for _ in range(2))
    return Program(lambda T, x, y: T.kron(x, y), x, y)


EQUATIONS = [
    "ij,jk->ik", "ij,jk", "ij,ij->", "ii->i", "ii", "ij->ji", "ij->", "bij,bjk->bik", "bhid,bhjd->bhij",
    "i,j->ij", "ij,j->i", "...ij,...jk->...ik", "ij,jk,kl->il", "iij,jk->ik", "bi,oij,bj->bo", "a...,a...->...",
    "ij,kl->ijkl", "ij,ki", "i,i->i", "ijk->kj", "ij,ik,il->jkl", "...,...->...",
]  # fmt: skip


@case("ops.products.einsum")
def einsum(d: Draw) -> Program:
    equation = d.choice(EQUATIONS)
    sizes = {c: d.size(1, 4) for c in "abcdhijklo"}
    dots = d.shape(0, 2, high=3)
    operands = []
    for part in equation.partition("->")[0].split(","):
        shape: list[int] = []
        for piece in part.replace("...", ".").strip():
            shape.extend(dots if piece == "." else [sizes[piece]])
        operands.append(d.normal(*shape))
    return Program(lambda T, *xs: T.einsum(equation, *xs), *operands)


@case("ops.products.einsum.broadcast")
def einsum_broadcast(d: Draw) -> Program:
    """A letter of size 1 on one side is broadcast, in the sum and in the result."""
    n = d.size(2, 4)
    equation = d.choice(["ij,ij->ij", "ij,ij->i", "ij,ij->", "ij,ij->j"])
    return Program(lambda T, x, y: T.einsum(equation, x, y), d.normal(n, 1), d.normal(d.choice([1, n]), 3))
