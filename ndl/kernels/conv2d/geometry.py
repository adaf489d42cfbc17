"""Sizes, padding and windows: what every rung of the ladder has to know about a 2-d convolution.

Throughout the ladder: ``x`` (N, C, H, W), weights ``W`` (O, C/groups, kH, kW), ``y`` (N, O, Ho, Wo), and
``dx, dW, dy`` are the gradients of a scalar loss with respect to them. Pairs are (vertical, horizontal).
"""

import numpy as np

Pair = tuple[int, int]
Shape4 = tuple[int, int, int, int]


def output_size(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """Ho and Wo: how many places the kernel fits, ⌊(H + 2p - d(k-1) - 1) / s⌋ + 1.

    Raises ``RuntimeError`` if the kernel does not fit into the padded picture at all.
    """
    padded = (size[0] + 2 * padding[0], size[1] + 2 * padding[1])
    reach = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    if padded[0] < reach[0] or padded[1] < reach[1]:
        raise RuntimeError(
            f"the kernel reaches over {reach[0]} x {reach[1]} pixels (size {kernel}, dilation {dilation}), "
            f"but the padded input has only {padded[0]} x {padded[1]}: use a smaller kernel or dilation, "
            "or more padding"
        )
    return (padded[0] - reach[0]) // stride[0] + 1, (padded[1] - reach[1]) // stride[1] + 1


def pad(x: np.ndarray, padding: Pair) -> np.ndarray:
    """A copy of x with p zeros on every side. (N, C, H, W) → (N, C, H + 2p, W + 2p)"""
    n, c, h, w = x.shape
    ph, pw = padding
    padded = np.zeros((n, c, h + 2 * ph, w + 2 * pw), x.dtype)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    return padded


def crop(padded: np.ndarray, padding: Pair) -> np.ndarray:
    """The inside of a padded array: what ``pad`` put there. (N, C, H + 2p, W + 2p) → (N, C, H, W)"""
    ph, pw = padding
    return padded[:, :, ph : padded.shape[2] - ph, pw : padded.shape[3] - pw]


def window(padded: np.ndarray, i: int, j: int, kernel: Pair, stride: Pair, dilation: Pair) -> np.ndarray:
    """The pixels that output pixel (i, j) looks at, as a view. (N, C, H + 2p, W + 2p) → (N, C, kH, kW)"""
    rows = slice(i * stride[0], i * stride[0] + dilation[0] * (kernel[0] - 1) + 1, dilation[0])
    columns = slice(j * stride[1], j * stride[1] + dilation[1] * (kernel[1] - 1) + 1, dilation[1])
    return padded[:, :, rows, columns]


def all_windows(padded: np.ndarray, kernel: Pair, stride: Pair, dilation: Pair) -> np.ndarray:
    """Every window at once, still without a copy. (N, C, H + 2p, W + 2p) → (N, C, Ho, Wo, kH, kW)

    Neighbouring windows overlap in memory: read it, never write to it.
    """
    n, c, h, w = padded.shape
    ho, wo = output_size((h, w), kernel, stride, (0, 0), dilation)
    sn, sc, sh, sw = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (n, c, ho, wo, *kernel),
        (sn, sc, sh * stride[0], sw * stride[1], sh * dilation[0], sw * dilation[1]),
        writeable=False,
    )


def empty_channels_last(shape: Shape4, dtype: np.dtype) -> np.ndarray:
    """An uninitialised array of logical shape (N, C, H, W) whose memory runs in the order N, H, W, C."""
    n, c, h, w = shape
    return np.empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)


def input_channels(o: int, W_shape: Shape4, groups: int) -> slice:
    """The channels of x that filter ``o`` looks at: those of its group."""
    per_group = W_shape[1]
    group = o // (W_shape[0] // groups)
    return slice(group * per_group, (group + 1) * per_group)
