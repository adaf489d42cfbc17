"""Random numbers equal to PyTorch's: the same seed gives the same numbers as PyTorch on a CPU.

Each method of ``Generator`` names the PyTorch function whose numbers it draws. How equal they are, and how
that is known: ``tests/kernels/test_random.py`` draws each of them here and in PyTorch 2.13 for many sizes,
compares the numbers, and after each draw compares the whole state of the two generators, byte by byte.

===============================  =====================================================================
``uniform``                      bit for bit, float16, float32 and float64
``normal``, fewer than 16        bit for bit (the C library's log1p, sin and cos, one number at a time)
``normal``, 16 and more          float32, float16 bit for bit; float64, and in memory that is not contiguous
                                 all types, to 2 units in the last place of z
``randint``, ``random``          bit for bit
``permutation``                  bit for bit below 214,748,364; a right permutation, but not PyTorch's, above
``bernoulli`` of an array        bit for bit
``bernoulli`` of one p           bit for bit, see below
``exponential``                  float64 to 2 units in the last place; float32 and float16 mostly bit for bit
``multinomial``                  the same indices (two that tie may change places)
===============================  =====================================================================

"Bit for bit" holds where PyTorch runs its vector kernels (x86 with AVX2 or AVX-512), which fuse a product
and a sum into one rounding; elsewhere PyTorch's own last digit differs in ``uniform(low, high)`` and
``normal``.

``bernoulli`` of one probability for all (what Dropout draws) is the one place where PyTorch gives different
numbers on different processors. On AMD's and on ARM it draws from the Mersenne Twister as for everything
else; on Intel's it hands one word as the seed to a second generator inside the MKL library, MCG31m1
(L'Ecuyer, "Tables of linear congruential generators of different sizes and good lattice structure", 1999).
``Generator.bernoulli_stream`` chooses: ``"mt19937"`` (the default, so that a program gives the same numbers
on every machine) or ``"mcg31m1"``.
"""

from __future__ import annotations

import math
import operator
import os
import threading
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ndl.kernels import mcg31m1, multinomial
from ndl.kernels.box_muller import box_muller
from ndl.kernels.fma import scale_and_shift
from ndl.kernels.mt19937 import BITS_53, MersenneTwister
from ndl.kernels.shuffle import fisher_yates

__all__ = ["DEFAULT_SEED", "Generator"]

Shape = int | tuple[int, ...]

DEFAULT_SEED = 67280421310721  # what PyTorch seeds its generators with when nobody else does
# "Word modulo range" favours small results by up to range / 2**bits: from here on PyTorch takes 64 bits.
WIDE_RANGE = 2**28
WIDE_PERMUTATION = 2**32 // 20


class Generator:
    """A stream of random numbers: with one seed the same as ``torch.Generator``'s. Threads may share it."""

    bernoulli_stream: Literal["mt19937", "mcg31m1"] = "mt19937"

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._lock = threading.RLock()
        self._words = MersenneTwister(_checked_seed(seed))

    # -------------------------------------------------------------------------------- seed and state

    def manual_seed(self, seed: int) -> Generator:
        """Start again at ``seed``, an integer from -2**63 to 2**64 - 1; -1 is the same as 2**64 - 1."""
        seed = _checked_seed(seed)
        with self._lock:
            self._words.reseed(seed)
        return self

    def seed(self) -> int:
        """Start again at a seed nobody can foresee, and return it."""
        seed = int.from_bytes(os.urandom(8), "little") & (2**53 - 1)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed this stream started from, 0 <= seed < 2**64."""
        return self._words.seed

    def get_state(self) -> NDArray[np.uint8]:
        """All that is needed to continue the stream: (5056,) uint8, byte for byte PyTorch's."""
        with self._lock:
            return self._words.to_bytes()

    def set_state(self, state: NDArray[np.uint8]) -> None:
        """Continue where ``get_state`` was called; TypeError or RuntimeError for what is no such state."""
        with self._lock:
            self._words.from_bytes(state)

    def __getstate__(self) -> dict[str, Any]:
        return {"state": self.get_state(), "bernoulli_stream": self.bernoulli_stream}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self._lock = threading.RLock()
        self._words = MersenneTwister(0)
        self.set_state(saved["state"])
        self.bernoulli_stream = saved["bernoulli_stream"]

    # -------------------------------------------------------------------------------- real numbers

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: Shape = (), dtype: DTypeLike = np.float32) -> NDArray:
        """``Tensor.uniform_(low, high)``: low + (high - low) k 2**-24, in float64 2**-53, with k uniform."""
        dtype = _floating("uniform", dtype)
        if not low <= high:
            raise RuntimeError(f"uniform expects low <= high, but got low={low} > high={high}")
        if not max(-low, high, high - low) <= float(np.finfo(dtype).max):
            raise RuntimeError(f"uniform expects a range that fits {dtype}, but got low={low}, high={high}")
        work = np.float64 if dtype == np.float64 else np.float32
        start, width = work(low), work(high) - work(low)
        with self._lock:
            u = self._words.uniform(math.prod(_sizes(shape)), work)
        if start == 0 and width == 1 and dtype != np.float16:
            return u.reshape(shape)
        scale_and_shift(u, float(width), float(start))
        out = u.astype(dtype, copy=False)
        out[out == dtype.type(high)] = low  # rounding may have reached the excluded end
        return out.reshape(shape)

    def normal(
        self,
        mean: float = 0.0,
        std: float = 1.0,
        shape: Shape = (),
        dtype: DTypeLike = np.float32,
        contiguous: bool = True,
    ) -> NDArray:
        """``Tensor.normal_(mean, std)``, and with the defaults ``torch.randn``.

        Fewer than 16 numbers come one pair at a time, in float64, and the second of a pair is kept for the
        next call. From 16 on they come in groups of 16 uniforms; what is left over at the end is drawn anew
        together with the numbers before it, so that the last 16 always form a group. A tensor that is not
        contiguous gets pairs, however many: ``contiguous=False``.
        """
        dtype = _floating("normal", dtype)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but got std={std}")
        n = math.prod(_sizes(shape))
        with self._lock:
            if n < 16:
                few = np.array([self._words.one_normal() for _ in range(n)], np.float64)
                scale_and_shift(few, float(std), float(mean))
                return _rounded(few, dtype).reshape(shape)
            if not contiguous:
                many = self._words.normal_pairs(n)
                scale_and_shift(many, float(std), float(mean))
                return _rounded(many, dtype).reshape(shape)
            work = np.float64 if dtype == np.float64 else np.float32
            # float16 is made group by group, so what is left over is drawn once; in the others, twice.
            groups = n // 16 * 16
            z = self._words.uniform(groups if dtype == np.float16 else n, work)
            last = self._words.uniform(16, work) if n > groups else z[:0]
        box_muller(z[:groups])
        if n > groups:
            box_muller(last)
            if z.size < n:
                z = np.concatenate([z, last[groups - n :]])
            z[-16:] = last
        scale_and_shift(z, float(work(std)), float(work(mean)))
        return z.astype(dtype, copy=False).reshape(shape)

    def exponential(self, rate: float = 1.0, shape: Shape = (), dtype: DTypeLike = np.float32) -> NDArray:
        """``Tensor.exponential_(rate)``: -log(1 - u) / rate, in float64 whatever the dtype."""
        dtype = _floating("exponential", dtype)
        if not rate > 0:
            raise RuntimeError(f"exponential expects rate > 0.0, but got rate={rate}")
        with self._lock:
            u = self._words.uniform(math.prod(_sizes(shape)), np.float64)
        np.negative(u, out=u)
        np.log1p(u, out=u)
        u *= -1.0 / rate
        return _rounded(u, dtype).reshape(shape)

    # -------------------------------------------------------------------------------- integers

    def randint(self, low: int, high: int, shape: Shape = ()) -> NDArray[np.int64]:
        """``torch.randint(low, high)``: low + word modulo (high - low).

        The word has 32 bits, or 64 from a range of 2**28 on. ``randint(-2**63, 2**63)`` gives all 64 bits.
        """
        low, high = operator.index(low), operator.index(high)
        if low >= high:
            raise RuntimeError(f"randint expects low < high, but got low={low} >= high={high}")
        if low < -(2**63) or high > 2**63:
            raise RuntimeError(f"randint expects -2**63 <= low and high <= 2**63, but got {low} and {high}")
        n, span = math.prod(_sizes(shape)), high - low
        with self._lock:
            if span < WIDE_RANGE:
                out = (self._words.words32(n) % np.uint32(span)).astype(np.int64)
            else:
                words = self._words.words64(n)
                out = (words % np.uint64(span) if span < 2**64 else words).view(np.int64)
        if low != 0 and span < 2**64:
            out += np.int64(low)
        return out.reshape(shape)

    def random(self, shape: Shape = (), dtype: DTypeLike = np.int64) -> NDArray:
        """``Tensor.random_()``: integers from 0 to an integer dtype's largest or 2**digits of a float."""
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            values = 2
        elif dtype.kind in "iu":
            values = int(np.iinfo(dtype).max) + 1
        elif dtype.kind == "f":
            values = 2 ** (np.finfo(dtype).nmant + 1) + 1
        else:
            raise RuntimeError(f"random expects a bool, integer or real dtype, but got {dtype}")
        n = math.prod(_sizes(shape))
        with self._lock:
            if dtype in (np.dtype(np.int64), np.dtype(np.float64)):
                return (self._words.words64(n) % np.uint64(values)).astype(dtype).reshape(shape)
            return (self._words.words32(n) % np.uint64(values)).astype(dtype).reshape(shape)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """``torch.randperm(n)``: the numbers 0 .. n-1, shuffled."""
        n = operator.index(n)
        if n < 0:
            raise RuntimeError(f"permutation expects n >= 0, but got n={n}")
        left = np.arange(n, 1, -1, dtype=np.int64)  # (n-1,) how many numbers are still to be placed
        with self._lock:
            words = self._words.words32(left.size) if n < WIDE_PERMUTATION else self._words.words64(left.size)
        return fisher_yates(n, (words % left.astype(words.dtype)).astype(np.int64))

    # -------------------------------------------------------------------------------- choices

    def bernoulli(self, p: float | NDArray, shape: Shape | None = None, dtype: DTypeLike = np.float32) -> NDArray:
        """1 with probability p, else 0.

        With one number p: ``Tensor.bernoulli_(p)``; ``shape`` is () unless given. With an array p of float16,
        float32 or float64: ``torch.bernoulli(p)``, one draw for each; it has p's shape.
        """
        if isinstance(p, np.ndarray):
            return self._bernoulli_each(p, shape, np.dtype(dtype))
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli expects 0 <= p <= 1, but got p={p}")
        shape = () if shape is None else shape
        n = math.prod(_sizes(shape))
        with self._lock:
            if self.bernoulli_stream == "mcg31m1":
                seed = int(self._words.words32(1)[0])
                return mcg31m1.below(p, seed, n).astype(dtype).reshape(shape)
            words = self._words.words64(n)
        words &= BITS_53
        # k 2**-53 < p, decided among integers: p 2**53 is exact.
        return (words < np.uint64(math.ceil(p * 2.0**53))).astype(dtype).reshape(shape)

    def _bernoulli_each(self, p: NDArray, shape: Shape | None, dtype: np.dtype) -> NDArray:
        work = np.float64 if _floating("bernoulli", p.dtype) == np.float64 else np.float32
        if shape is not None and _sizes(shape) != p.shape:
            raise RuntimeError(f"bernoulli expects p's shape {p.shape}, but got {shape}; leave it out")
        if p.size and not (p.min() >= 0 and p.max() <= 1):
            raise RuntimeError(f"bernoulli expects 0 <= p <= 1, but got values from {p.min()} to {p.max()}")
        with self._lock:
            u = self._words.uniform(p.size, work)
        return (u.reshape(p.shape) < p).astype(dtype)

    def multinomial(
        self, weights: NDArray, n: int, replacement: bool = False, turned: bool = False
    ) -> NDArray[np.int64]:
        """``torch.multinomial``: ``n`` indices for each row of ``weights``, in proportion to the weights.

        weights: (C,) or (M, C), float16, float32 or float64, not negative; returns (n,) or (M, n). ``turned``: the
        draws of a race come column by column, as for a matrix that lies so in PyTorch's memory.

        The two methods, with replacement (and n > 1) and without, are in ``ndl/kernels/multinomial.py``.
        """
        w = np.asarray(weights)
        multinomial.check(w, n, replacement)
        rows = w.reshape(math.prod(w.shape[:-1]), w.shape[-1])  # (M, C)
        if replacement and n > 1:
            with self._lock:
                u = self._words.uniform(len(rows) * n, np.float64).reshape(-1, n)  # (M, n)
            found = multinomial.search(rows, u)
        else:
            q = self.exponential(1.0, rows.shape[::-1] if turned else rows.shape, w.dtype)
            found = multinomial.race(rows, q.T if turned else q, n)
        return found.reshape(*w.shape[:-1], n)


def _rounded(x: NDArray[np.float64], dtype: np.dtype) -> NDArray:
    """x in ``dtype``; to float16 by way of float32, as PyTorch converts."""
    if dtype == np.float16:
        x = x.astype(np.float32)
    return x.astype(dtype, copy=False)


def _checked_seed(seed: int) -> int:
    try:
        seed = operator.index(seed)
    except TypeError:
        raise RuntimeError(f"manual_seed expects an int, but got {type(seed).__name__}") from None
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"manual_seed expects -2**63 <= seed < 2**64, but got {seed}")
    return seed % 2**64


def _sizes(shape: Shape) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(s < 0 for s in sizes):
        raise RuntimeError(f"a shape has no negative sizes, but got {sizes}")
    return sizes


def _floating(what: str, dtype: DTypeLike) -> np.dtype:
    dtype = np.dtype(dtype)
    if dtype not in (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)):
        raise RuntimeError(f"{what} expects float16, float32 or float64, but got {dtype}")
    return dtype
