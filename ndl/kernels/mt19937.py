"""The Mersenne Twister, seeded and stored as PyTorch's CPU generator does it.

Everything PyTorch draws on a CPU comes from one stream of 32-bit words: MT19937 (Matsumoto & Nishimura,
"Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random number generator", 1998),
started by the authors' 2002 initialisation from the low 32 bits of the seed. NumPy ships the same twister;
with the same 624 words inside, its ``random_raw`` is the same stream. So the work is left to NumPy, and
this file only seeds it, reads it as 32-bit and 64-bit words, and stores it in PyTorch's own byte layout:
a state saved by ``torch.get_rng_state()`` can be loaded here, and the other way round.

Known, not believed: ``tests/kernels/test_mt19937.py`` compares words with the authors' own published output,
and words and states with PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["STATE_BYTES", "MersenneTwister"]

WORDS = 624  # length of the twister's state
FEW = 512  # up to here random_raw is faster, since it starts at once; above, a bulk fill is
PIECE = 16384  # uniforms converted at a time, while their words are still in the cache
BITS_24, BITS_53 = np.uint32(2**24 - 1), np.uint64(2**53 - 1)

# PyTorch's CPUGeneratorImplState (ATen/CPUGeneratorImpl.cpp), field by field.
_LAYOUT = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # words left until the next twist, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),  # index of the next word
        ("words", "<u8", (WORDS,)),
        ("normal_x", "<f8"),  # no longer used by PyTorch
        ("normal_y", "<f8"),  # the second of a pair of normals, waiting to be used
        ("normal_rho", "<f8"),  # no longer used by PyTorch
        ("normal_is_valid", "<i4"),
        ("padding", "<i4"),
        ("float_normal", "<f4"),  # never set on a CPU
        ("float_normal_is_valid", "<i4"),
    ]
)
STATE_BYTES = _LAYOUT.itemsize  # 5056


class MersenneTwister:
    """A stream of 32-bit words that starts at ``seed``; the same words PyTorch's CPU generator draws.

    ``spare`` is the one number besides the stream that a generator remembers: the second normal of a
    Box-Muller pair, or None. It belongs to the state, so it is kept and stored here.

    The words come into being at the first draw: making a twister costs nothing, not even the import of
    ``numpy.random``.
    """

    def __init__(self, seed: int) -> None:
        self._bits: Any = None
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Start again at ``seed`` (0 <= seed < 2**64; only its low 32 bits reach the stream)."""
        self.seed = seed
        self.spare: float | None = None
        self._pending: tuple[NDArray[np.uint32], int] | None = None
        self._fresh = True  # nothing drawn since reseed

    def words32(self, n: int) -> NDArray[np.uint32]:
        """The next ``n`` words: (n,) uint32."""
        if n == 0:
            return np.empty(0, np.uint32)
        bits = self._ready()
        if n < FEW:
            return bits.bit_generator.random_raw(n).astype(np.uint32)
        # The full range asks for no rejection and no scaling: every word is passed on as it is.
        return bits.integers(0, 0xFFFFFFFF, n, dtype=np.uint32, endpoint=True)

    def words64(self, n: int) -> NDArray[np.uint64]:
        """The next ``2 n`` words in pairs, the first of each pair in the high half: (n,) uint64."""
        if n == 0:
            return np.empty(0, np.uint64)
        bits = self._ready()
        if n < FEW:
            w = bits.bit_generator.random_raw(2 * n)  # (2n,) 32 bits in each uint64
            return (w[0::2] << np.uint64(32)) | w[1::2]  # (n,)
        return bits.integers(0, 0xFFFFFFFFFFFFFFFF, n, dtype=np.uint64, endpoint=True)

    def uniform(self, n: int, dtype: type) -> NDArray:
        """(n,) in [0, 1): float32 from the low 24 bits of a word, float64 from the low 53 of a pair."""
        out: NDArray = np.empty(n, dtype)
        for start in range(0, n, PIECE):
            part = out[start : start + PIECE]
            if dtype is np.float32:
                w32 = self.words32(part.size)
                w32 &= BITS_24
                part[...] = w32.view(np.int32)  # signed integers are quicker to convert
                part *= np.float32(2.0**-24)
            else:
                w64 = self.words64(part.size)
                w64 &= BITS_53
                part[...] = w64.view(np.int64)
                part *= 2.0**-53
        return out

    def one_normal(self) -> float:
        """A standard normal; they come in pairs (Box & Muller), of which one is kept as ``spare``."""
        if self.spare is not None:
            z, self.spare = self.spare, None
            return z
        u1, u2 = self.uniform(2, np.float64).tolist()
        # math, not NumPy: PyTorch calls the C library here, and so does math.
        r, t = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
        self.spare = r * math.sin(t)
        return r * math.cos(t)

    def normal_pairs(self, n: int) -> NDArray[np.float64]:
        """The next ``n`` of ``one_normal``, by NumPy's functions: a last digit may differ."""
        first = [] if self.spare is None or n == 0 else [self.one_normal()]
        u1, u2 = self.uniform(2 * ((n - len(first) + 1) // 2), np.float64).reshape(-1, 2).T
        r, t = np.sqrt(-2.0 * np.log1p(-u2)), 2.0 * math.pi * u1
        z = np.concatenate([first, np.stack([r * np.cos(t), r * np.sin(t)], 1).reshape(-1)])
        if z.size > n:
            self.spare = float(z[-1])
        return z[:n]

    def to_bytes(self) -> NDArray[np.uint8]:
        """The whole state as PyTorch lays it out: (5056,) uint8."""
        record = np.zeros((), _LAYOUT)
        key, pos = self._key_and_position()
        record["seed"] = self.seed
        record["left"] = WORDS + 1 - pos if pos < WORDS else 1
        record["seeded"] = 1
        record["next"] = 0 if self._fresh else pos
        record["words"] = key
        if self.spare is not None:
            record["normal_y"] = self.spare
            record["normal_is_valid"] = 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def from_bytes(self, state: NDArray[np.uint8]) -> None:
        """Continue where ``to_bytes`` (or ``torch.get_rng_state().numpy()``) left off.

        Raises TypeError for anything but uint8, RuntimeError for a wrong length or an impossible state.
        """
        state = np.asarray(state)
        if state.dtype != np.uint8:
            raise TypeError(
                f"a generator's state is an array of uint8, but got {state.dtype}; pass what get_state() returned"
            )
        if state.size != STATE_BYTES:
            raise RuntimeError(
                f"a generator's state has {STATE_BYTES} bytes, but got {state.size}; pass what get_state() returned"
            )
        record = np.frombuffer(state.tobytes(), _LAYOUT)[0]
        left, position = int(record["left"]), int(record["next"])
        if not (record["seeded"] == 1 and 1 <= left <= WORDS and position <= WORDS):
            raise RuntimeError(
                f"a Mersenne Twister has seeded=1, 1 <= left <= {WORDS} and next <= {WORDS}, but got "
                f"seeded={record['seeded']}, left={left}, next={position}; pass what get_state() returned"
            )
        self.seed = int(record["seed"])
        self.spare = float(record["normal_y"]) if record["normal_is_valid"] else None
        self._pending = (record["words"].astype(np.uint32), WORDS if left == 1 else position)
        self._fresh = left == 1 and position == 0

    def _key_and_position(self) -> tuple[NDArray[np.uint32], int]:
        if self._fresh and self._pending is None:
            return _initial_words(self.seed), WORDS
        if self._pending is not None:
            return self._pending
        inside = self._bits.bit_generator.state["state"]
        return inside["key"], int(inside["pos"])

    def _ready(self) -> Any:
        """NumPy's generator holding our words."""
        if self._fresh or self._pending is not None:
            if self._bits is None:
                self._bits = np.random.Generator(np.random.MT19937(0))
            key, position = self._key_and_position()
            self._bits.bit_generator.state = {
                "bit_generator": "MT19937",
                "state": {"key": key, "pos": position},
            }
            self._fresh, self._pending = False, None
        return self._bits


def _initial_words(seed: int) -> NDArray[np.uint32]:
    """w_0 = seed, w_j = 1812433253 (w_{j-1} XOR (w_{j-1} >> 30)) + j, all modulo 2**32."""
    w = seed & 0xFFFFFFFF
    words = [w]
    for j in range(1, WORDS):
        w = (1812433253 * (w ^ (w >> 30)) + j) & 0xFFFFFFFF
        words.append(w)
    return np.array(words, np.uint32)
