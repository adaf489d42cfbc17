"""The smooth activations: y = f(x) and the slope f'(x), made together, since they share their exponentials.

σ(x) = 1 / (1 + e^−x), Φ(x) the normal distribution function, φ(x) = e^(−x²/2) / √(2π) its density.

    function       y                           slope
    silu           x σ                         σ + y (1 − σ)
    gelu           x Φ                         Φ + x φ
    gelu_tanh      x σ(2u)                     σ + y (1 − σ) 2u'     u = √(2/π) (x + 0.044715 x³);  ½ (1 + tanh u) = σ(2u)
    mish           x w,  w = n / (n + 2)       w + 4 x e (1 + e) / (n + 2)²     e = e^x, n = e (e + 2);  w = tanh ln(1 + e)
    softplus       ln(1 + e^βx) / β            σ(βx)
    log_sigmoid    ln σ                        1 − σ
    tanhshrink     x − tanh x                  tanh² x
    softsign       x / (1 + |x|)               1 / (1 + |x|)²

Each works on large arrays in pieces that stay in the cache, and without branches. At ±∞ the values are those of the
formulas, as PyTorch's: 0 · ∞ is nan. Those with a kink are in ``activation_kinked``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.erf import erf
from ndl.kernels.pieces import in_pieces, zeros
from ndl.kernels.workspace import scratch

__all__ = [
    "gelu",
    "gelu_tanh",
    "log_sigmoid",
    "mish",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "softplus",
    "softsign",
    "tanh",
    "tanh_backward",
    "tanhshrink",
]

GRAIN = 1 << 16  # numbers for which waking a thread pays: a kernel here makes ten to twenty calls, 0.15 ms and more
ROOT_2_BY_PI = math.sqrt(2 / math.pi)
ROOT_HALF = math.sqrt(0.5)
DENSITY = 1 / math.sqrt(2 * math.pi)
CUBIC = 0.044715


def _curve(kernel: Callable[..., None], x: NDArray, slope: bool) -> tuple[NDArray, NDArray | None]:
    """(y, slope), or (y, None) where the slope is not wanted. A kernel gets (x, y) or (x, y, slope)."""
    made = in_pieces(kernel, x, results=2 if slope else 1, grain=GRAIN)
    return made[0], made[1] if slope else None


def _temporary(x: NDArray, number: int = 1) -> NDArray:
    return scratch("activation", (number, x.size), x.dtype)


def _exp(b: float, x: NDArray, out: NDArray) -> None:
    """e^bx; out may be x."""
    np.multiply(x, b, out=out)
    np.exp(out, out=out)


def _sigmoid(x: NDArray, out: NDArray) -> None:
    _exp(-1, x, out)
    out += 1
    np.divide(1, out, out=out)


def sigmoid(x: NDArray) -> NDArray:
    """σ(x)."""
    return in_pieces(_sigmoid, x)[0]


def silu(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x σ(x)."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        if s is None:
            _exp(-1, x, y)
            y += 1
            np.divide(x, y, out=y)
        else:
            (t,) = _temporary(x)
            _sigmoid(x, s)
            np.multiply(x, s, out=y)
            np.subtract(1, s, out=t)
            t *= y
            s += t  # σ + y (1 − σ)

    return _curve(kernel, x, slope)


# q(a) = ½ erfc(a / √2) = e^(−a²/2) t P(t) with t = 1 / (a + TAIL_C), the form of Hastings' approximations (Abramowitz &
# Stegun 7.1.26), fitted anew by least squares with weights that level the error: 7e-8 at most, a unit of float32 at 1.
TAIL_C = 3.0303030303030303
TAIL = (-28.28057443928713, 31.983288073623235, -2.678446231665715, 1.893838845361609, 0.3678694003488335)


def _normal(x: NDArray, cdf: NDArray, e: NDArray, t: NDArray) -> None:
    """cdf = Φ(x) and e = e^(−x²/2); t is scratch memory."""
    np.multiply(x, x, out=e)
    _exp(-0.5, e, e)
    if x.dtype == np.float64:
        np.multiply(x, ROOT_HALF, out=cdf)
        erf(cdf, cdf)
        cdf += 1
        cdf *= 0.5
        return
    np.abs(x, out=t)
    t += TAIL_C
    np.divide(1, t, out=t)
    np.multiply(t, TAIL[0], out=cdf)
    for c in TAIL[1:]:
        cdf += c
        cdf *= t
    cdf *= e  # q, the tail beyond |x|: Φ = q below 0, 1 − q above
    np.copyto(t, x > 0)
    np.subtract(t, cdf, out=cdf)
    np.abs(cdf, out=cdf)


def gelu(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x Φ(x)."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        cdf, e = _temporary(x, 2)
        if s is not None:
            e = s  # few arrays, so that all stay in the cache
        _normal(x, cdf, e, t=y)
        np.multiply(x, cdf, out=y)
        if s is not None:
            s *= DENSITY
            s *= x
            s += cdf

    return _curve(kernel, x, slope)


def gelu_tanh(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x σ(2u), u = √(2/π) (x + 0.044715 x³)."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        square, cdf = _temporary(x, 2)
        np.multiply(x, x, out=square)
        np.multiply(square, -2 * ROOT_2_BY_PI * CUBIC, out=cdf)
        cdf -= 2 * ROOT_2_BY_PI
        cdf *= x
        _exp(1, cdf, cdf)  # e^−2u
        cdf += 1
        np.divide(1, cdf, out=cdf)
        np.multiply(x, cdf, out=y)
        if s is not None:
            square *= 6 * ROOT_2_BY_PI * CUBIC
            square += 2 * ROOT_2_BY_PI  # 2u'
            np.subtract(1, cdf, out=s)
            s *= y
            s *= square
            s += cdf

    return _curve(kernel, x, slope)


def mish(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x tanh(ln(1 + e^x))."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        e, n = _temporary(x, 2)
        np.minimum(x, 20, out=e)  # beyond, w is 1 to the last digit, and e² would overflow
        np.exp(e, out=e)
        np.add(e, 2, out=n)
        n *= e
        np.add(n, 2, out=y)  # n + 2
        if s is not None:
            np.multiply(e, 4, out=s)
            e += 1
            s *= e
            s /= y
            s /= y
            s *= np.minimum(x, 20)
        n /= y  # w
        np.multiply(x, n, out=y)
        if s is not None:
            s += n
            np.subtract(x, x, out=e)
            s += e  # nan at ∞, where the formula has ∞ · 0

    return _curve(kernel, x, slope)


def softplus(
    x: NDArray, beta: float = 1.0, threshold: float = 20.0, slope: bool = False
) -> tuple[NDArray, NDArray | None]:
    """ln(1 + e^βx) / β, and x itself where βx is above the threshold."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        z, e = _temporary(x, 2)
        np.multiply(x, beta, out=z)
        linear = z > threshold
        some_linear = linear.any()
        if s is not None:
            _sigmoid(z, s)
            if some_linear:
                np.copyto(s, 1, where=linear)
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.log1p(e, out=e)
        np.maximum(z, zeros(z), out=y)
        y += e  # max(z, 0) + ln(1 + e^−|z|): no overflow
        y /= beta
        if some_linear:
            np.copyto(y, x, where=linear)

    return _curve(kernel, x, slope)


def log_sigmoid(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """ln σ(x) = min(x, 0) − ln(1 + e^−|x|)."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        (e,) = _temporary(x)
        if s is not None:
            np.negative(x, out=e)
            _sigmoid(e, s)
        np.abs(x, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.log1p(e, out=e)
        np.minimum(x, zeros(x), out=y)
        y -= e

    return _curve(kernel, x, slope)


def tanhshrink(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x − tanh x."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        np.tanh(x, out=y)
        if s is not None:
            np.multiply(y, y, out=s)
        np.subtract(x, y, out=y)

    return _curve(kernel, x, slope)


def softsign(x: NDArray, slope: bool = False) -> tuple[NDArray, NDArray | None]:
    """x / (1 + |x|). x − x is nan at ±∞, where the result is, and 0 elsewhere."""

    def kernel(x: NDArray, y: NDArray, s: NDArray | None = None) -> None:
        (d,) = _temporary(x)
        np.abs(x, out=d)
        d += 1
        np.divide(x, d, out=y)
        if s is not None:
            np.subtract(x, x, out=s)
            s += d
            s *= d
            np.divide(1, s, out=s)

    return _curve(kernel, x, slope)


def tanh(x: NDArray) -> NDArray:
    """tanh x."""
    return in_pieces(lambda x, y: np.tanh(x, out=y), x)[0]


def tanh_backward(dy: NDArray, y: NDArray, out: NDArray | None = None) -> NDArray:
    """dy (1 − y²); out may be dy."""

    def kernel(dy: NDArray, y: NDArray, dx: NDArray) -> None:
        (t,) = _temporary(y)
        np.multiply(y, y, out=t)
        np.subtract(1, t, out=t)
        np.multiply(dy, t, out=dx)

    return in_pieces(kernel, dy, y, out=out)[0]


def sigmoid_backward(dy: NDArray, y: NDArray, out: NDArray | None = None) -> NDArray:
    """dy (1 − y) y; out may be dy."""

    def kernel(dy: NDArray, y: NDArray, dx: NDArray) -> None:
        (t,) = _temporary(y)
        np.subtract(1, y, out=t)
        t *= y
        np.multiply(dy, t, out=dx)

    return in_pieces(kernel, dy, y, out=out)[0]
