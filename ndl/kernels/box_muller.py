"""Normal random numbers from uniform ones, to PyTorch's last bit.

    r = sqrt(-2 log(1 - u1)),  t = 2 pi u2,   z1 = r cos t,  z2 = r sin t

(Box & Muller, "A note on the generation of random normal deviates", 1958.) Two independent uniforms give two
independent standard normals. PyTorch's CPU kernel takes sixteen uniforms at a time, the first eight as u1 and
the others as u2, and puts z1 and z2 back in the same order.

In float64 NumPy's own log, cos and sin are used: the result is PyTorch's to within 2 units in the last place
(99.8% of the numbers are equal, the rest is a different rounding of the logarithm).

In float32 the result is PyTorch's **bit for bit**, and that takes more. Its AVX2 kernel computes log, cos
and sin with the short polynomials of the Cephes library (S. L. Moshier, single precision; the constants
below are his), and every product that is added to something is a fused multiply-add, rounded once. NumPy
has no such instruction. But the product of two float32 numbers is exact in float64, so rounding a b + c from
float64 to float32 gives the same number unless the float64 sum lies within 2**-29 of a tie: about once in
10**8 normals, then by one unit in the last place. (None among 16 million.) Products that are exact anyway
stay in float32. On processors without AVX2 PyTorch calls the C library instead, and its last digit differs
from ours there.

Cost on one core: 15 ns a float32 number (NumPy's own log, cos and sin would take 3, but give other digits),
20 ns a float64 number. The work goes in pieces that stay in the cache, shared by the threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["box_muller"]

GROUP = 16  # u1 and u2 alternate in halves of this
PIECE = 16384  # pairs worked on at a time, with 800 KB of scratch: for smaller pieces calls cost too much
F4, F8, I4 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int32)

SQRT_HALF_BITS = 0x3F3504F3  # the float32 next to 1/sqrt(2), as an integer
LOG = [float(np.float32(c)) for c in (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1)]
LOG += [float(np.float32(c)) for c in (-1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1)]
LOG += [float(np.float32(c)) for c in (2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)]
LN2_LOW, LN2_HIGH = np.float32(-2.12194440e-4), np.float32(0.693359375)  # their sum is log 2
FOUR_OVER_PI = np.float32(1.27323954473516)
# Their sum is pi/4; an integer up to 8 times the first or the second is exact in float32.
PI4_HIGH, PI4_MIDDLE = np.float32(0.78515625), np.float32(2.4187564849853515625e-4)
PI4_LOW = float(np.float32(3.77489497744594108e-8))
COS = [float(np.float32(c)) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]
SIN = [float(np.float32(c)) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]


def box_muller(u: NDArray) -> None:
    """Turn uniforms in [0, 1) into standard normals, in place.

    u: (16 k,) float32 or float64, contiguous; in each 16 the first 8 are u1 and the last 8 are u2.
    """
    groups = u.reshape(-1, 2, GROUP // 2)  # (k, 2, 8)
    piece = _piece_float32 if u.dtype == F4 else _piece_float64
    step = PIECE // (GROUP // 2)

    def share(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            piece(groups[first : min(first + step, stop)])

    if len(groups) <= step:
        share(0, len(groups))
    else:
        parallel_for(len(groups), share, grain=step)


def _piece_float64(g: NDArray[np.float64]) -> None:
    u1, u2 = g[:, 0], g[:, 1]
    r = np.sqrt(-2.0 * np.log(1.0 - u1))
    t = (2.0 * np.pi) * u2
    np.multiply(r, np.cos(t), out=u1)
    np.multiply(r, np.sin(t), out=u2)


def _piece_float32(g: NDArray[np.float32]) -> None:
    n = g.size // 2
    r = scratch("box_muller.r", (n,), F4)
    t = scratch("box_muller.t", (n,), F4)
    sin = scratch("box_muller.sin", (n,), F4)
    cos = scratch("box_muller.cos", (n,), F4)
    np.subtract(np.float32(1), g[:, 0], out=r.reshape(-1, GROUP // 2))  # [0, 1) -> (0, 1] for the logarithm
    np.multiply(np.float32(2 * np.pi), g[:, 1], out=t.reshape(-1, GROUP // 2))
    _log(r)
    r *= np.float32(-2)
    np.sqrt(r, out=r)
    _sin_cos(t, sin, cos)
    np.multiply(r.reshape(-1, GROUP // 2), cos.reshape(-1, GROUP // 2), out=g[:, 0])
    np.multiply(r.reshape(-1, GROUP // 2), sin.reshape(-1, GROUP // 2), out=g[:, 1])


def _horner(x: NDArray[np.float64], coefficients: list[float], single: NDArray[np.float32], out: NDArray) -> None:
    """out = (.. (c0 x + c1) x + ..) x + c_last, every step one fused multiply-add of float32."""
    np.multiply(x, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        out += c
        single[...] = out  # the rounding to float32
        out[...] = single
        out *= x
    out += coefficients[-1]
    single[...] = out
    out[...] = single


def _log(x: NDArray[np.float32]) -> None:
    """x <- log x for 0 < x <= 1: x = 2**e m with m in [sqrt(1/2), sqrt 2), then a polynomial in m - 1."""
    n = x.size
    e = scratch("box_muller.e", (n,), F4)
    y = scratch("box_muller.y", (n,), F4)
    z = scratch("box_muller.z", (n,), F4)
    wide_x = scratch("box_muller.wide_x", (n,), F8)
    wide = scratch("box_muller.wide", (n,), F8)

    # Exponent and mantissa are bits 23.. and 0..22; what is left after taking sqrt(1/2) off has the wanted e.
    bits, shift = x.view(I4), z.view(I4)
    np.subtract(bits, np.int32(SQRT_HALF_BITS), out=shift)
    shift >>= 23
    e[...] = shift
    shift <<= 23
    bits -= shift
    x -= np.float32(1)  # m - 1, exact

    np.multiply(x, x, out=z)
    wide_x[...] = x
    _horner(wide_x, LOG, y, wide)
    y[...] = wide
    y *= x  # rounded by itself, since the next step multiplies it again
    # y = fma(y, z, e low)
    wide[...] = y
    wide_x[...] = z
    wide *= wide_x
    np.multiply(e, LN2_LOW, out=y)
    wide_x[...] = y
    wide += wide_x
    y[...] = wide
    # log x = (m - 1) - z/2 + y + e high; the halving and e high are exact.
    z *= np.float32(0.5)
    y -= z
    x += y
    e *= LN2_HIGH
    x += e


def _sin_cos(x: NDArray[np.float32], sin: NDArray[np.float32], cos: NDArray[np.float32]) -> None:
    """sin x and cos x for 0 <= x <= 2 pi; x is used up.

    x = j pi/4 + rest with j even and |rest| <= pi/4: j says which polynomial is which, and the signs.
    """
    n = x.size
    j = scratch("box_muller.e", (n,), I4)
    y = scratch("box_muller.y", (n,), F4)
    z = scratch("box_muller.z", (n,), F4)
    wide_x = scratch("box_muller.wide_x", (n,), F8)
    wide_z = scratch("box_muller.wide_z", (n,), F8)
    wide = scratch("box_muller.wide", (n,), F8)

    np.multiply(x, FOUR_OVER_PI, out=y)
    np.copyto(j, y, casting="unsafe")  # towards zero
    j += 1
    j &= ~1
    y[...] = j
    for part in (PI4_HIGH, PI4_MIDDLE):
        np.multiply(y, part, out=z)
        x -= z
    wide_x[...] = x
    wide[...] = y
    wide *= PI4_LOW
    wide_x -= wide
    x[...] = wide_x
    wide_x[...] = x
    np.multiply(x, x, out=z)
    wide_z[...] = z

    _horner(wide_z, COS, cos, wide)
    cos *= z
    wide[...] = cos
    wide *= wide_z
    np.multiply(wide_z, 0.5, out=wide_z)
    wide -= wide_z
    cos[...] = wide
    cos += np.float32(1)

    wide_z[...] = z
    _horner(wide_z, SIN, sin, wide)
    sin *= z
    wide[...] = sin
    wide *= wide_x
    wide += wide_x
    sin[...] = wide

    # Signs and exchange on the bits: no comparison, no branch.
    s, c, swap, other = sin.view(I4), cos.view(I4), y.view(I4), z.view(I4)
    np.left_shift(j, 30, out=swap)
    swap >>= 31  # all ones where j is 2 or 6: the two change places
    np.bitwise_xor(s, c, out=other)
    other &= swap
    s ^= other
    c ^= other
    for bits, offset in ((s, 0), (c, 2)):  # sin < 0 where j is 4 or 6 (mod 8), cos < 0 where j is 2 or 4
        np.add(j, offset, out=other)
        other &= 4
        other <<= 29
        bits ^= other
