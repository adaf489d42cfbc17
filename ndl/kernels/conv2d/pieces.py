"""What the fast rungs share: channels-last views, padded pieces in scratch memory, the sizes of pieces.

The fast rungs keep the channels innermost: an array of logical shape (N, C, H, W) whose memory runs N, H,
W, C. A pixel is then C neighbouring numbers and a row of k pixels is k·C of them, so that copies have long
contiguous runs and a window's row is a row of a matrix as it stands. They accept any memory order (the copy
into the padded piece rearranges it on the way) and return channels-last, so that a network stays in that
order by itself.
"""

from collections.abc import Iterator

import numpy as np

from ndl.kernels.conv2d.geometry import Shape4

MIN_FLOPS_PER_SHARE = 1.5e7  # about 0.15 ms on one core, twice what waking a thread and waiting for it costs


def channels_last(x: np.ndarray) -> np.ndarray:
    """The same numbers with the channels as last axis, as a view. (N, C, H, W) → (N, H, W, C)"""
    return x.transpose(0, 2, 3, 1)


def empty_channels_last(shape: Shape4, dtype: np.dtype) -> np.ndarray:
    """An uninitialised array of logical shape (N, C, H, W) whose memory runs N, H, W, C."""
    n, c, h, w = shape
    return np.empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)


class Padded:
    """A piece (n, rows, columns, C): zeros and, from row ``top`` and column ``left`` on, pictures of this size.

    ``top`` and ``left`` may be negative and the pictures may reach beyond the piece: only the overlap is copied. The
    zeros are written once, when it is made.
    """

    def __init__(self, piece: np.ndarray, size: tuple[int, int], top: int, left: int) -> None:
        rows, columns = piece.shape[1:3]
        r0, r1 = min(max(0, top), rows), max(0, min(rows, top + size[0]))
        c0, c1 = min(max(0, left), columns), max(0, min(columns, left + size[1]))
        if r0 >= r1 or c0 >= c1:
            piece[...] = 0
            r0 = r1 = c0 = c1 = 0
        elif (r0, r1, c0, c1) != (0, rows, 0, columns):
            piece[:, :r0] = 0
            piece[:, r1:] = 0
            piece[:, r0:r1, :c0] = 0
            piece[:, r0:r1, c1:] = 0
        self.inside = piece[:, r0:r1, c0:c1]
        self.seen = (slice(None), slice(r0 - top, r1 - top), slice(c0 - left, c1 - left))

    def fill(self, x: np.ndarray) -> None:
        """Copy the pictures in. (n, C, H, W) in any memory order."""
        if self.inside.size:
            self.inside[...] = channels_last(x)[self.seen]


def fill_padded(piece: np.ndarray, x: np.ndarray, top: int, left: int) -> None:
    """Fill ``piece`` (n, rows, columns, C) with zeros and x; see ``Padded``."""
    Padded(piece, (x.shape[2], x.shape[3]), top, left).fill(x)


def pieces(start: int, stop: int, size: int) -> Iterator[slice]:
    """Cut the pictures ``start`` to ``stop`` into runs of about equal length, none longer than ``size``."""
    if stop > start:
        count = -(-(stop - start) // max(1, size))
        step = -(-(stop - start) // count)
        for first in range(start, stop, step):
            yield slice(first, min(stop, first + step))


def planned_pieces(start: int, stop: int, size: int) -> Iterator[tuple[slice, bool]]:
    """``pieces``, and whether what was planned for the one before does not fit: it is the first, or a shorter one."""
    count = 0
    for part in pieces(start, stop, size):
        yield part, part.stop - part.start != count
        count = part.stop - part.start


def grain(flops_per_item: float) -> int:
    """How many items make a share that is worth a thread."""
    return int(MIN_FLOPS_PER_SHARE // max(1.0, flops_per_item)) + 1


def add_bias(y: np.ndarray, bias: np.ndarray | None) -> None:
    """Add ``bias`` (O,) to every pixel of y (n, O, Ho, Wo), in place.

    The bias is repeated to the length of a row of pixels: the inner loop then runs over Wo·O numbers, not O.
    """
    if bias is None:
        return
    last = channels_last(y)
    if last.flags.c_contiguous:
        n, ho, wo, n_out = last.shape
        rows = last.reshape(n * ho, wo * n_out)
        rows += np.tile(bias, wo)
    else:
        last += bias


def by_group(groups: int, n_in: int, n_out: int) -> Iterator[tuple[slice, slice]]:
    """For each group the slice of its input channels and the slice of its output channels."""
    for group in range(groups):
        yield (
            slice(group * n_in // groups, (group + 1) * n_in // groups),
            slice(group * n_out // groups, (group + 1) * n_out // groups),
        )


def add_up(parts: list[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The sum of what the shares of the batch have returned, in their order; zeros if the batch was empty."""
    if not parts:
        return np.zeros(shape, dtype)
    for part in parts[1:]:
        parts[0] += part
    return parts[0]


def strided_view(base: np.ndarray, first: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
    """A view of contiguous ``base`` from its element ``first`` on, with steps counted in elements.

    Does what ``as_strided`` does in a fifth of its time, and checks that the view stays inside ``base``.
    """
    size = base.itemsize
    return np.ndarray(shape, base.dtype, base, first * size, tuple(step * size for step in steps))
