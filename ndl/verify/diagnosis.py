"""What a wrong gradient looks like: from the pattern of the error to the mistake that makes it, in words.

Given are what backward computed (a), the right gradient (n) and, where it is small enough, the whole Jacobian J of the
outputs by this tensor, so that n = dyᵀ J and every term of that sum can be looked at alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

CLOSE = 1e-6


@dataclass
class Evidence:
    """A gradient that is wrong, with everything it might have been made of.

    Attributes
        a, n: what backward says, and what differences say; of equal shape.
        wrong: the elements that differ.
        terms: dy_i J_ik, (*shape of the output, *shape of n), for one output; None if there are too many.
        operands: other arrays by their names: inputs, parameters, outputs, dL/dy.
        sizes: numbers that a forgotten 1/N may come from, with what they are: {5: "the size of dimension 0 of …"}.
        close: how exact n is, as a part of its largest element.
    """

    a: np.ndarray
    n: np.ndarray
    wrong: np.ndarray
    terms: np.ndarray | None = None
    output_ndim: int = 0
    operands: dict[str, np.ndarray] = field(default_factory=dict)
    sizes: dict[int, str] = field(default_factory=dict)
    close: float = CLOSE

    def same(self, a: np.ndarray, b: np.ndarray) -> bool:
        """Equal up to the error of differences, measured by the larger of the two."""
        if a.shape != b.shape:
            return False
        return bool(np.max(np.abs(a - b), initial=0.0) <= self.close * max(np.max(np.abs(b), initial=0.0), 1e-300))


def explain(e: Evidence) -> str:
    """One sentence about what the pattern suggests; empty if it suggests nothing."""
    if not np.isfinite(e.a).all():
        return f"{int((~np.isfinite(e.a)).sum())} elements are nan or infinite: a division by zero, or ∞ · 0"
    for look in (_zero, _factor, _transposed, _operand_transposed, _part_of_batch, _overwritten, _diagonal):
        if said := look(e):
            return said
    for look in (_missing_factor, _missing_term, _nearly, _some_places):
        if said := look(e):
            return said
    return ""


def _zero(e: Evidence) -> str:
    if not e.a.any():
        return "the gradient is zero everywhere: it never arrives (a value detached, a None returned, or computed by NumPy)"
    return ""


def _factor(e: Evidence) -> str:
    """a = c n."""
    c = float(np.vdot(e.n, e.a) / max(np.vdot(e.n, e.n), 1e-300))
    if e.n.size < 2 or not e.same(e.a, c * e.n):
        return ""
    if abs(c + 1) < e.close:
        return "every element has the wrong sign"
    words = f"every element is {c:.6g} times what it should be"
    if abs(abs(c) - 1) < e.close:
        return ""
    sign = " and the sign is wrong" if c < 0 else ""
    c = abs(c)
    for size, what in e.sizes.items():
        if size < 2:
            continue
        twice = ", or a term is counted twice" if size == 2 else ""
        if abs(c - size) < e.close * size:
            return f"{words}{sign}; {size} is {what}: a missing 1/N, as for a mean{twice}"
        if abs(c * size - 1) < e.close:
            return f"{words}{sign}; {size} is {what}: 1/N is taken where it should not be, or twice"
    if abs(c - 2) < e.close:
        return f"{words}{sign}: counted twice (does += meet a gradient that is already there?), or a ½ forgotten"
    if abs(c - 0.5) < e.close:
        return f"{words}{sign}: a factor 2 is forgotten (the derivative of x² is 2x), or only one of two uses counts"
    for size, what in e.sizes.items():
        if size > 1 and (abs(c * c - size) < e.close * size or abs(c * c * size - 1) < e.close):
            return f"{words}{sign}; {size} is {what}: a scale √{size} or 1/√{size} is forgotten or doubled"
    return f"{words}{sign}: a constant factor"


def _transposed(e: Evidence) -> str:
    for i, j in itertools.combinations(range(e.n.ndim), 2):
        if e.same(np.swapaxes(e.a, i, j), e.n) if e.n.shape[i] == e.n.shape[j] else False:
            return f"it is the right gradient with dimensions {i} and {j} exchanged: a missing transpose at the end"
    return ""


def _operand_transposed(e: Evidence) -> str:
    """n = Mᵀ B or B Mᵀ where a = M B or B M; n = M Bᵀ where a = M B: for an operand B, with M solved for."""
    if e.n.ndim < 2 or e.n.ndim > 3:
        return ""
    n, a = _matrices(e.n), _matrices(e.a)
    for name, operand in e.operands.items():
        if operand.ndim < 2 or operand.ndim > 3:
            continue
        B = _matrices(operand)
        if len(B) not in (1, len(n)):
            continue
        B = np.broadcast_to(B, (len(n), *B.shape[1:]))
        for left in (False, True):  # products with B on the right, then on the left
            N, A, C = (n, a, B) if not left else tuple(np.swapaxes(m, -1, -2) for m in (n, a, B))
            if C.shape[-1] != N.shape[-1]:
                continue
            M = N @ np.linalg.pinv(C)  # N = M C, as far as C tells M
            if not e.same(M @ C, N):
                continue
            if M.shape[-1] == M.shape[-2] and e.same(np.swapaxes(M, -1, -2) @ C, A):
                products = ("B M", "B Mᵀ") if left else ("M B", "Mᵀ B")
                return f"it is {products[0]} where {products[1]} is right, B being {name}: a missing transpose of M"
            if C.shape[-1] == C.shape[-2] and e.same(M @ np.swapaxes(C, -1, -2), A):
                return f"{name} is transposed in a product where it should not be, or not where it should be"
    return ""


def _matrices(x: np.ndarray) -> np.ndarray:
    return x if x.ndim == 3 else x[None]


def _part_of_batch(e: Evidence) -> str:
    """Only the first or the last of a dimension counts, or one is left out."""
    if e.terms is None:
        return ""
    rest = tuple(range(e.output_ndim))
    for axis in rest:
        size = e.terms.shape[axis]
        if size < 2:
            continue
        each = e.terms.sum(tuple(r for r in rest if r != axis))  # (size, *shape of n)
        for k, which in ((size - 1, "last"), (0, "first")):
            if e.same(e.a, each[k]):
                return f"only the {which} of the {size} along the output's dimension {axis} counts: = for +="
            if e.same(e.a, each.sum(0) - each[k]):
                return (
                    f"the {which} of the {size} along the output's dimension {axis} is left out: a loop one too short"
                )
    return ""


def _overwritten(e: Evidence) -> str:
    """For each element only the last (first) of the terms that meet there: what = for += does to overlapping windows."""
    if e.terms is None or e.output_ndim == 0:
        return ""
    axes = range(e.output_ndim)
    for n in range(e.output_ndim):
        for summed in itertools.combinations(axes, n):
            left = [axis for axis in axes if axis not in summed]
            each = e.terms.sum(summed) if summed else e.terms
            each = each.reshape(-1, e.n.size)  # (places, elements)
            there = np.abs(each) > 1e-9 * max(float(np.abs(each).max(initial=0.0)), 1e-300)
            for order, which in ((slice(None, None, -1), "last"), (slice(None), "first")):
                picked = np.argmax(there[order], axis=0)
                found = each[order][picked, np.arange(each.shape[1])] * there.any(0)
                if e.same(e.a, found.reshape(e.n.shape)):
                    return (
                        f"of the terms that meet in an element only the {which} counts, along the output's "
                        f"dimension{'s' if len(left) > 1 else ''} {', '.join(map(str, left))}: = for +="
                    )
    return ""


def _diagonal(e: Evidence) -> str:
    """Only ∂y_i/∂x_i."""
    if e.terms is None or e.terms.shape[: e.output_ndim] != e.n.shape:
        return ""
    square = e.terms.reshape(e.n.size, e.n.size)
    off = square - np.diag(np.diag(square))
    if off.any() and e.same(e.a, np.diag(square).reshape(e.n.shape)):
        return "only the diagonal of the Jacobian is there, ∂y_i/∂x_i: what x_i does to the other outputs is missing"
    return ""


def _missing_factor(e: Evidence) -> str:
    """n = a · b element by element."""
    if e.n.size < 3:
        return ""
    for name, b in _candidates(e):
        if b.shape == e.n.shape and np.ptp(b) > 1e-3:
            if e.same(e.a * b, e.n):
                return f"every element lacks the factor {name}"
            if e.same(e.n * b, e.a):
                return f"every element has the factor {name} too often"
    return ""


def _missing_term(e: Evidence) -> str:
    """n − a is a multiple of something, or of something along some dimensions."""
    d = e.n - e.a
    if d.size < 3:
        return ""
    for name, b in _candidates(e):
        if b.shape == d.shape and b.any():
            c = float(np.vdot(b, d) / np.vdot(b, b))
            if e.same(c * b, d):
                return f"what is missing is {c:.6g} times {name}: a term left out"
    for count in range(d.ndim, 0, -1):
        for axes in itertools.combinations(range(d.ndim), count):
            if np.prod([d.shape[axis] for axis in axes]) < 3:
                continue
            along = ", ".join(map(str, axes))
            s = "s" if count > 1 else ""
            if e.same(np.broadcast_to(d.mean(axes, keepdims=True), d.shape), d):
                return (
                    f"what is missing is the same for all elements along dimension{s} {along}: a term that comes "
                    "through a sum or a mean over them"
                )
            for name, b in e.operands.items():
                if b.shape == d.shape and np.prod([d.shape[axis] for axis in axes]) > 3 and _line(e, d, b, axes):
                    return (
                        f"what is missing is α + β · {name} along dimension{s} {along}: terms that come through the "
                        "mean and the variance, or another sum of products"
                    )
    return ""


def _line(e: Evidence, d: np.ndarray, b: np.ndarray, axes: tuple[int, ...]) -> bool:
    """Whether d = α + β b, with α and β of their own for each group along ``axes``."""
    dc, bc = d - d.mean(axes, keepdims=True), b - b.mean(axes, keepdims=True)
    beta = (dc * bc).sum(axes, keepdims=True) / np.maximum((bc * bc).sum(axes, keepdims=True), 1e-300)
    return e.same(beta * bc, dc)


def _candidates(e: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """What a forgotten factor or term is usually made of."""
    for name, b in e.operands.items():
        yield name, b
    for name, b in e.operands.items():
        yield f"(1 − {name})", 1 - b
        yield f"(1 − {name}²)", 1 - b * b
        yield f"{name} (1 − {name})", b * (1 - b)
        yield f"{name}²", b * b
        yield f"sign({name})", np.sign(b)
        if (b != 0).all():
            yield f"1/{name}", 1 / b
    for (p, b), (q, c) in itertools.combinations(e.operands.items(), 2):
        if b.shape == c.shape == e.n.shape:
            yield f"{p} · {q}", b * c


def _nearly(e: Evidence) -> str:
    scale = float(np.abs(e.n).max(initial=0.0))
    worst = float(np.abs(e.a - e.n).max(initial=0.0))
    if scale and worst < 1e-2 * scale and e.wrong.mean() > 0.5:
        return (
            f"it is close, off by {worst / scale:.1e} of its largest element: an epsilon that only one of forward and "
            "backward knows, or float32 in between"
        )
    return ""


def _some_places(e: Evidence) -> str:
    """Where the wrong elements are, if they are few."""
    if e.wrong.mean() > 0.6:
        return ""
    nothing = ", and no gradient arrives there" if not e.a[e.wrong].any() else ""
    for axis, size in enumerate(e.n.shape):
        places = np.unique(np.nonzero(e.wrong)[axis])
        if size > len(places) and len(places) <= 2:
            return f"only elements at index {', '.join(map(str, places))} of dimension {axis} are wrong{nothing}"
    return nothing.removeprefix(", and ")
