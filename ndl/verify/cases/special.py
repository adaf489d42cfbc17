"""Cases of ``ndl.ops.special``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


def _inside(d: Draw, *shape: int) -> np.ndarray:
    return d.uniform(*shape, low=-0.9, high=0.9)


def _between_poles(d: Draw, *shape: int) -> np.ndarray:
    """From −3 to 4, at least 0.2 from every whole number."""
    return d.integers(-3, 3, *shape) + d.uniform(*shape, low=0.2, high=0.8)


# PyTorch's digamma and trigamma are computed in fewer digits than the protocol asks for.
UNARY = {
    "erf": (Draw.normal, 1e-10),
    "erfc": (Draw.normal, 1e-10),
    "erfinv": (_inside, 1e-10),
    "lgamma": (_between_poles, 1e-6),
    "digamma": (_between_poles, 1e-6),
}


def _unary(name: str) -> None:
    draw, tolerance = UNARY[name]

    @case(f"ops.special.{name}")
    def function(d: Draw) -> Program:
        x = draw(d, *d.shape())
        return Program(lambda T, x: (getattr(T, name)(x), getattr(x, name)()), x, tolerance=tolerance)

    @case(f"ops.special.{name}_")
    def in_place(d: Draw) -> Program:
        return Program(lambda T, x: getattr(x * 1, name + "_")(), draw(d, *d.shape()), tolerance=tolerance)


for _name in UNARY:
    _unary(_name)


@case("ops.special.polygamma")
def polygamma(d: Draw) -> Program:
    n = d.integer(0, 4)
    return Program(lambda T, x: T.polygamma(n, x), d.positive(*d.shape()), tolerance=1e-6)
