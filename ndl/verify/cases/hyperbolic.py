"""Cases of ``ndl.ops.hyperbolic``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def _above_one(d: Draw, *shape: int) -> np.ndarray:
    return 1 + d.positive(*shape)


def _inside(d: Draw, *shape: int) -> np.ndarray:
    return d.uniform(*shape, low=-0.9, high=0.9)


UNARY = {
    "sinh": Draw.normal,
    "cosh": Draw.normal,
    "tanh": Draw.normal,
    "asinh": Draw.normal,
    "acosh": _above_one,
    "atanh": _inside,
    "arcsinh": Draw.normal,
    "arccosh": _above_one,
    "arctanh": _inside,
}


def _unary(name: str) -> None:
    @case(f"ops.hyperbolic.{name}")
    def function(d: Draw) -> Program:
        x = UNARY[name](d, *d.shape())
        return Program(lambda T, x: (getattr(T, name)(x), getattr(x, name)()), x)

    @case(f"ops.hyperbolic.{name}_")
    def in_place(d: Draw) -> Program:
        x = UNARY[name](d, *d.shape())
        # PyTorch does not differentiate the inverse functions in place.
        return Program(
            lambda T, x: getattr(x * 1, name + "_")(), x, constant=(0,) if "a" in name[:2] and name != "tanh" else ()
        )


for _name in UNARY:
    _unary(_name)


@case("ops.hyperbolic.sigmoid")
def sigmoid(d: Draw) -> Program:
    return Program(lambda T, x: (T.sigmoid(x), x.sigmoid(), (x * 1).sigmoid_()), d.normal(*d.shape()))


@case("ops.hyperbolic.logit")
def logit(d: Draw) -> Program:
    x = d.uniform(*d.shape(), low=0.1, high=0.9)
    return Program(lambda T, x: (T.logit(x), x.logit(), (x * 1).logit_()), x)


@case("ops.hyperbolic.logit.edges")
def logit_at_the_edges(d: Draw) -> Program:
    """On 0 and 1, beyond them, and on the bounds that eps sets."""
    x = d.rng().permutation([-0.5, 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.5, 2.5])
    return Program(lambda T, x: (T.logit(x), T.logit(x, 0.25)), x, numeric=False)


@case("ops.hyperbolic.logit.eps")
def logit_clamped(d: Draw) -> Program:
    eps = d.choice([0.0, 0.2, 1e-6])
    x = 0.5 + d.away_from([0.5 - eps, eps - 0.5], *d.shape())
    return Program(lambda T, x: (T.logit(x, eps), (x * 1).logit_(eps=eps)), x[(x > 0) & (x < 1)])
