"""Cases of ``ndl.ops.special``."""

import math
from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


def _inside(d: Draw, *shape: int) -> np.ndarray:
    return d.uniform(*shape, low=-0.9, high=0.9)


def _between_poles(d: Draw, *shape: int) -> np.ndarray:
    """From −3 to 4, at least 0.2 from every whole number."""
    return d.integers(-3, 3, *shape) + d.uniform(*shape, low=0.2, high=0.8)


def _digamma(T: Any, x: Any) -> Any:
    """digamma with the slope ζ(2, x), below 0 by the reflection ψ′(x) + ψ′(1 − x) = π² / sin² πx."""
    a = x.detach()
    slope = T.where(a > 0, T.special.zeta(2, a), (math.pi / T.sin(math.pi * a)) ** 2 - T.special.zeta(2, 1 - a))
    return T.digamma(a) + slope * (x - a)


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
        exact = (lambda T, x: (_digamma(T, x), _digamma(T, x))) if name == "digamma" else None
        return Program(lambda T, x: (getattr(T, name)(x), getattr(x, name)()), x, tolerance=tolerance, exact=exact)

    @case(f"ops.special.{name}_")
    def in_place(d: Draw) -> Program:
        exact = _digamma if name == "digamma" else None
        return Program(lambda T, x: getattr(x * 1, name + "_")(), draw(d, *d.shape()), tolerance=tolerance, exact=exact)


for _name in UNARY:
    _unary(_name)


@case("ops.special.polygamma")
def polygamma(d: Draw) -> Program:
    n = d.integer(0, 4)

    def exact(T: Any, x: Any) -> Any:
        """ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x), and its slope, which is the next one."""
        a = x.detach()
        value, slope = ((-1) ** (k + 1) * math.factorial(k) * T.special.zeta(k + 1, a) for k in (n, n + 1))
        return value + slope * (x - a) if n else _digamma(T, x)

    return Program(lambda T, x: T.polygamma(n, x), d.positive(*d.shape()), tolerance=1e-6, exact=exact)
