"""Cases of ``ndl.nn.cross_entropy``."""

import numpy as np

from ndl.verify.case import Draw, Program, case

REDUCTIONS = ["mean", "sum", "none"]


def _classes(d: Draw) -> tuple[np.ndarray, np.ndarray, int]:
    """Logits (C), (N, C) or (N, C, d₁, …) with class targets."""
    C = d.size(1, 5)
    if d.integer(0, 5) == 0:
        return d.normal(C), d.integers(0, C - 1), C
    shape = (d.size(), *d.shape(0, 2))
    return d.normal(shape[0], C, *shape[1:]), d.integers(0, C - 1, *shape), C


@case("nn.cross_entropy.cross_entropy")
def cross_entropy(d: Draw) -> Program:
    x, t, _ = _classes(d)
    reduction = d.choice(REDUCTIONS)
    return Program(lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction=reduction), x, t)


@case("nn.cross_entropy.cross_entropy.weight")
def weighted(d: Draw) -> Program:
    x, t, C = _classes(d)
    reduction, smoothing = d.choice(REDUCTIONS), d.choice([0.0, 0.1, 1.0])
    ignore = d.choice([-100, -1]) if t.size < 2 else int(t.ravel()[0])
    if t.size and (t == ignore).all():
        ignore = -100

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.cross_entropy(
            x, t, w, ignore_index=ignore, reduction=reduction, label_smoothing=smoothing
        )

    return Program(run, x, t, d.positive(C), constant=(2,))


@case("nn.cross_entropy.cross_entropy.probabilities")
def probabilities(d: Draw) -> Program:
    x, _, C = _classes(d)
    reduction, smoothing = d.choice(REDUCTIONS), d.choice([0.0, 0.2])

    def run(T, x, q, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.cross_entropy(x, q, w, reduction=reduction, label_smoothing=smoothing)

    return Program(run, x, d.positive(*x.shape), d.positive(C), constant=(2,))


@case("nn.cross_entropy.cross_entropy.large")
def large(d: Draw) -> Program:
    """Logits of ±1000: nothing overflows, and the gradient of a certain wrong answer is exactly ±1/N."""
    x = 1000.0 * d.ties(d.size(), 4)
    return Program(lambda T, x, t: T.nn.functional.cross_entropy(x, t), x, d.integers(0, 3, len(x)), numeric=False)


@case("nn.cross_entropy.cross_entropy.ignored_infinity")
def ignored_infinity(d: Draw) -> Program:
    """An ignored row counts for nothing, whatever stands in it."""
    x = d.normal(3, 4)
    x[1, 2] = -np.inf

    def run(T, x):  # type: ignore[no-untyped-def]
        t = T.tensor([0, -100, 3])
        return [T.nn.functional.cross_entropy(x, t, label_smoothing=eps) for eps in (0.0, 0.1)]

    return Program(run, x, numeric=False)


@case("nn.cross_entropy.nll_loss")
def nll_loss(d: Draw) -> Program:
    x, t, C = _classes(d)
    x = np.ascontiguousarray(x)  # PyTorch refuses to differentiate strided pictures here
    reduction = d.choice(REDUCTIONS)
    if d.boolean():
        return Program(lambda T, x, t: T.nn.functional.nll_loss(x, t, reduction=reduction), x, t)
    ignore = int(t.ravel()[0]) if t.size > 1 and not (t == t.ravel()[0]).all() else -100

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.functional.nll_loss(x, t, w, ignore_index=ignore, reduction=reduction)

    return Program(run, x, t, d.positive(C), constant=(2,))


@case("nn.cross_entropy.modules.CrossEntropyLoss")
def cross_entropy_module(d: Draw) -> Program:
    N, C, reduction, eps = d.size(), d.size(2, 5), d.choice(REDUCTIONS), d.choice([0.0, 0.1])
    x, t, w = d.normal(N, C), d.integers(0, C - 1, N), d.positive(C)

    def run(T, x, t, w):  # type: ignore[no-untyped-def]
        return T.nn.CrossEntropyLoss(weight=w, reduction=reduction, label_smoothing=eps)(x, t)

    return Program(run, x, t, w, constant=(2,))


@case("nn.cross_entropy.modules.NLLLoss")
def nll_module(d: Draw) -> Program:
    N, C, reduction = d.size(), d.size(2, 5), d.choice(REDUCTIONS)
    x, t, w = d.normal(N, C), d.integers(0, C - 1, N), d.positive(C)
    return Program(lambda T, x, t, w: T.nn.NLLLoss(weight=w, reduction=reduction)(x, t), x, t, w, constant=(2,))
