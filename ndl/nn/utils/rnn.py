"""Sequences of different lengths, padded to one length or packed without gaps.

Of the sequences a b c and d, padded to (T, B) = (3, 2) and packed:

    a d
    b 0        data = a d b c,  batch_sizes = 2 1 1
    c 0

Packed data holds the rows (t, b) of the padded tensor with t < length of b, all of step 0, then of step 1, …, the longest
sequence first. Packing gathers those rows, padding puts them back, so each is the other's derivative:

    pack:  y_k = x_{r(k)},  dx_{r(k)} = dy_k, 0 elsewhere        pad:  y_{r(k)} = x_k, padding elsewhere,  dx_k = dy_{r(k)}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.joining import cat
from ndl.ops.promotion import array_of

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PickRows(ArrayFunction):
    """y_k = x_{r(k)} for rows r(k), no two equal;  dx_{r(k)} = dy_k and 0 elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        ctx.rows, ctx.n = rows, len(x)
        return x[rows]

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return PlaceRows.apply(dy, ctx.rows, ctx.n, 0), None


class PlaceRows(ArrayFunction):
    """y_{r(k)} = x_k for rows r(k), no two equal, and ``value`` elsewhere;  dx_k = dy_{r(k)}."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, rows: np.ndarray, n: int, value: float) -> np.ndarray:
        ctx.rows = rows
        y = np.full((n, *x.shape[1:]), value, x.dtype)
        y[rows] = x
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return PickRows.apply(dy, ctx.rows), None, None, None


class _PackedSequence(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_PackedSequence):
    """Packed sequences, made by ``pack_padded_sequence`` and ``pack_sequence``; all recurrent networks take them.

    Attributes:
        data: the rows of step 0, then those of step 1, …: (N, …).
        batch_sizes: how many sequences have step t, int64.
        sorted_indices: where the sequences, the longest first, were in the caller's order; None if in that order.
        unsorted_indices: the other way.
    """

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError(
                    "Expected data to be a list or tuple of length 2: (data, batch_sizes), but got "
                    f"{type(data).__name__}"
                )
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same sequences with ``data.to(…)``; this very object where that changes nothing."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self) -> PackedSequence:
        """This very object: it is on the CPU."""
        return self

    def double(self) -> PackedSequence:
        """data as float64."""
        return self._as("double")

    def float(self) -> PackedSequence:
        """data as float32."""
        return self._as("float")

    def half(self) -> PackedSequence:
        """data as float16."""
        return self._as("half")

    def long(self) -> PackedSequence:
        """data as int64."""
        return self._as("long")

    def int(self) -> PackedSequence:
        """data as int32."""
        return self._as("int")

    def _as(self, kind: str) -> PackedSequence:
        return self.to(getattr(self.data, kind)().dtype)

    @property
    def is_cuda(self) -> bool:
        """False: there is no GPU here."""
        return False

    def is_pinned(self) -> bool:
        """False: there is no GPU to pin memory for."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one; None for None."""
    if permutation is None:
        return None
    p = array_of(permutation)
    inverse = np.empty_like(p)
    inverse[p] = np.arange(len(p), dtype=p.dtype)
    return Tensor._wrap(inverse)


def _rows(t: np.ndarray, b: np.ndarray, T: int, B: int, batch_first: bool) -> np.ndarray:
    """Which rows the steps t of sequences b are, where a padded tensor has its first two axes as one."""
    return b * T + t if batch_first else t * B + b


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded tensor (T, B, …), or (B, T, …) if ``batch_first``, of sequences with these ``lengths``.

    With ``enforce_sorted`` the longest must come first; without, the sequences are sorted, and networks and
    ``pad_packed_sequence`` give them back in the caller's order. Raises RuntimeError for lengths that are not sorted,
    below 1, above T or not one for each sequence.
    """
    n = np.array([int(v) for v in lengths] if not isinstance(lengths, Tensor) else lengths._array).astype(np.int64)
    if input.dim() < 2:
        raise IndexError(f"pack_padded_sequence wants an input (T, B, …), but got shape {list(input.shape)}")
    if n.ndim != 1:
        raise RuntimeError(f"pack_padded_sequence wants a vector of lengths, but got shape {list(n.shape)}")
    T, B = (input.shape[1], input.shape[0]) if batch_first else (input.shape[0], input.shape[1])
    if len(n) != B:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(n)} (batch_size={B})")
    if B == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if n.min() <= 0:
        raise RuntimeError(
            f"Length of all samples has to be greater than 0, but found {n.min()} in 'lengths': leave empty sequences out"
        )
    if n.max() > T:
        raise RuntimeError(f"lengths has {n.max()}, but the input has only {T} steps: {list(input.shape)}")
    order = None
    if not enforce_sorted:
        order = np.argsort(-n, kind="stable")
        n = n[order]
    elif np.any(n[1:] > n[:-1]):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement."
        )
    running = np.arange(n[0])[:, None] < n  # (T, B)
    t, b = np.nonzero(running)
    if order is not None:
        b = order[b]
    rows = _rows(t, b, T, B, batch_first)
    data = PickRows.apply(input.reshape(T * B, *input.shape[2:]), rows)
    return PackedSequence(data, Tensor._wrap(running.sum(1)), None if order is None else Tensor._wrap(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded tensor (T, B, …), or (B, T, …), in the order the sequences had before packing, and their lengths.

    T is the longest length, or ``total_length``; raises ValueError if that is less.
    """
    sizes = array_of(sequence.batch_sizes)
    T, B = len(sizes), int(sizes[0])
    if total_length is not None:
        if total_length < T:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {T}"
            )
        T = total_length
    running = np.arange(B) < sizes[:, None]  # (T, B)
    t, b = np.nonzero(running)
    lengths = running.sum(0)
    if sequence.sorted_indices is not None:
        b = array_of(sequence.sorted_indices)[b]
        lengths = lengths[array_of(sequence.unsorted_indices)]
    shape = ((B, T) if batch_first else (T, B)) + tuple(sequence.data.shape[1:])
    rows = _rows(t, b, T, B, batch_first)
    padded = PlaceRows.apply(sequence.data, rows, T * B, padding_value)
    return padded.reshape(shape), Tensor._wrap(lengths)


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L_b, …) of any lengths in one tensor (T, B, …), or (B, T, …) if ``batch_first``; T the longest.

    The first one's type is that of all. Raises RuntimeError for no sequences, or if they differ in more than their lengths.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    parts = list(sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    rest = parts[0].shape[1:]
    for s in parts:
        if s.dim() == 0 or s.shape[1:] != rest:
            raise RuntimeError(
                "pad_sequence: sequences may differ in their first size only, but got shapes "
                f"{list(parts[0].shape)} and {list(s.shape)}"
            )
    lengths = np.array([len(s) for s in parts])
    T, B = int(lengths.max()), len(parts)
    b, t = np.nonzero(np.arange(T) < lengths[:, None])
    if padding_side == "left":
        t = t + (T - lengths)[b]
    rows = _rows(t, b, T, B, batch_first)
    padded = PlaceRows.apply(cat([s.to(parts[0].dtype) for s in parts], 0), rows, T * B, padding_value)
    return padded.reshape(((B, T) if batch_first else (T, B)) + tuple(rest))


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences (L_b, …) of a padded tensor (T, B, …), or (B, T, …) if ``batch_first``."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    n = [int(v) for v in lengths]
    if len(n) != len(x):
        raise ValueError(f"unpad_sequence: got {len(x)} sequences and {len(n)} lengths")
    return [s[:length] for s, length in zip(x, n)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L_b, …); see ``pack_padded_sequence``."""
    return pack_padded_sequence(pad_sequence(sequences), [len(s) for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (L_b, …) that were packed, in the order they had."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
