"""Convolution in one, two, three and more dimensions, by way of the 2-d ladder.

One dimension is a picture that is one pixel wide. In three, one sums over the kernel's depth: for each tap
a of the first axis the slices that it meets are a batch of pictures for a 2-d convolution,

    y[:, :, t] = Σ_a  conv2d(x[:, :, t·s + a·d - p], W[:, :, a])          over those a that meet a slice of x
    dx[:, :, t·s + a·d - p] += input_grad(dy[:, :, t], W[:, :, a])
    dW[:, :, a] = weight_grad(x[:, :, t·s + a·d - p], dy[:, :, t])        summed over t like over the batch

and a fourth axis would be summed the same way around the third. Which rung of the ladder does the work is
up to ``ndl.kernels.conv2d.choose``. Results are channels last: memory runs N, spatial axes, C.

Cost: as conv2d, plus one pass over y (dx) for each tap of the first axis.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import cast

import numpy as np

from ndl.kernels.conv2d import choose as ladder
from ndl.kernels.conv2d import im2col, spot_check
from ndl.kernels.conv2d.geometry import Pair, Shape4

Sizes = tuple[int, ...]


def output_size(size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    """How many places the kernel fits along each axis, ⌊(n + 2p - d(k - 1) - 1) / s⌋ + 1.

    Raises ``RuntimeError`` if the kernel does not fit into the padded input.
    """
    padded = tuple(n + 2 * p for n, p in zip(size, padding))
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel))
    if any(n < r for n, r in zip(padded, reach)):
        raise RuntimeError(
            f"the kernel reaches over {reach} (size {tuple(kernel)}, dilation {tuple(dilation)}), but the "
            f"padded input has only {padded}: use a smaller kernel or dilation, or more padding"
        )
    return tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride))


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, *size), (O, C/groups, *kernel) → (N, O, *output)"""
    if x.ndim == 3:
        new, how = _as_pictures(x.shape, W.shape, stride, padding, dilation, groups, x.dtype)
        return forward(np.expand_dims(x, new), np.expand_dims(W, new), *how, groups, bias).squeeze(new)
    if x.ndim == 4:
        rung = _rung(x.shape, W.shape, stride, padding, dilation, groups, x.dtype)
        y = rung.forward(x, W, stride, padding, dilation, groups, bias)
        if ladder.to_be_checked(rung) and not spot_check.forward_is_good(x, W, y, padding, groups, bias):
            with ladder.winograd_allowed(False):
                return forward(x, W, stride, padding, dilation, groups, bias)
        return y
    output = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = _zeros_channels_last((x.shape[0], W.shape[0], *output), x.dtype)
    inner = (stride[1:], padding[1:], dilation[1:], groups)
    for a, seen, there in _taps(x.shape[2], W.shape[2], output[0], stride[0], padding[0], dilation[0]):
        part = forward(_merge(x[:, :, seen]), W[:, :, a], *inner)
        _add(y[:, :, there], part)
    if bias is not None:
        y += bias.reshape(-1, *(1 for _ in output))
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> np.ndarray:
    """dx. (N, O, *output), (O, C/groups, *kernel) → (N, C, *size)"""
    if dy.ndim == 3:
        new, how = _as_pictures(x_shape, W.shape, stride, padding, dilation, groups, dy.dtype)
        lifted = (*x_shape[:new], 1, *x_shape[new:])
        return input_grad(np.expand_dims(dy, new), np.expand_dims(W, new), lifted, *how, groups).squeeze(new)
    if dy.ndim == 4:
        rung = _rung(x_shape, W.shape, stride, padding, dilation, groups, dy.dtype)
        dx = rung.input_grad(dy, W, x_shape, stride, padding, dilation, groups)
        if ladder.to_be_checked(rung) and not spot_check.input_grad_is_good(dy, W, dx, padding, groups):
            with ladder.winograd_allowed(False):
                return input_grad(dy, W, x_shape, stride, padding, dilation, groups)
        return dx
    dx = _zeros_channels_last(x_shape, dy.dtype)
    inner = (stride[1:], padding[1:], dilation[1:], groups)
    for a, seen, there in _taps(x_shape[2], W.shape[2], dy.shape[2], stride[0], padding[0], dilation[0]):
        dy_there = _merge(dy[:, :, there])
        part = input_grad(dy_there, W[:, :, a], (dy_there.shape[0], x_shape[1], *x_shape[3:]), *inner)
        _add(dx[:, :, seen], part)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> np.ndarray:
    """dW. (N, C, *size), (N, O, *output) → (O, C/groups, *kernel)"""
    if x.ndim == 3:
        new, how = _as_pictures(x.shape, W_shape, stride, padding, dilation, groups, x.dtype)
        lifted = (*W_shape[:new], 1, *W_shape[new:])
        return weight_grad(np.expand_dims(x, new), np.expand_dims(dy, new), lifted, *how, groups).squeeze(new)
    if x.ndim == 4:
        rung = _rung(x.shape, W_shape, stride, padding, dilation, groups, x.dtype)
        return rung.weight_grad(x, dy, W_shape, stride, padding, dilation, groups)
    dW = np.zeros(W_shape, x.dtype)
    inner = (stride[1:], padding[1:], dilation[1:], groups)
    for a, seen, there in _taps(x.shape[2], W_shape[2], dy.shape[2], stride[0], padding[0], dilation[0]):
        per_tap = (*W_shape[:2], *W_shape[3:])
        dW[:, :, a] = weight_grad(_merge(x[:, :, seen]), _merge(dy[:, :, there]), per_tap, *inner)
    return dW


def _rung(
    x_shape: Sizes,
    W_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    dtype: np.dtype,
) -> ModuleType:
    """The fastest rung for a 2-d convolution; integers take a plain one, which multiplies them as such."""
    if dtype.kind != "f":
        return im2col
    pairs = (cast(Pair, stride), cast(Pair, padding), cast(Pair, dilation))
    return ladder.choose(cast(Shape4, x_shape), cast(Shape4, W_shape), *pairs, groups, dtype)


def _as_pictures(
    x_shape: Sizes,
    W_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    dtype: np.dtype,
) -> tuple[int, tuple[Sizes, Sizes, Sizes]]:
    """Where to put the axis of length 1 that makes a picture of a row, and the options as pairs.

    Last, if Winograd then runs along the row, which it does along the columns of pictures. Otherwise before
    the row, whose neighbours then lie side by side in memory.
    """
    upright = ((stride[0], 1), (padding[0], 0), (dilation[0], 1))
    lying = ((1, stride[0]), (0, padding[0]), (1, dilation[0]))
    rung = _rung((*x_shape, 1), (*W_shape, 1), *upright, groups, dtype)
    if rung is ladder.winograd_rows and W_shape[1] >= ladder.FEW_CHANNELS:
        return 3, upright
    return 2, lying


def _taps(
    size: int, kernel: int, output: int, stride: int, padding: int, dilation: int
) -> Iterator[tuple[int, slice, slice]]:
    """For each tap of the first axis the slices of x that it meets, and the slices of y that these go to."""
    for a in range(kernel):
        offset = a * dilation - padding
        first = max(0, -(offset // stride))  # the first t with t·s + offset ≥ 0
        last = min(output, (size - 1 - offset) // stride + 1)
        if first < last:
            start = first * stride + offset
            yield a, slice(start, start + (last - first - 1) * stride + 1, stride), slice(first, last)


def _zeros_channels_last(shape: Sizes, dtype: np.dtype) -> np.ndarray:
    return np.moveaxis(np.zeros((shape[0], *shape[2:], shape[1]), dtype), -1, 1)


def _merge(x: np.ndarray) -> np.ndarray:
    """The slices of all samples as one batch. (N, C, n, *rest) → (N·n, C, *rest), channels last in memory"""
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))  # (N, n, *rest, C)
    return np.moveaxis(last.reshape(-1, *last.shape[2:]), -1, 1)


def _add(total: np.ndarray, part: np.ndarray) -> None:
    """total (N, O, n, *rest) += part (N·n, O, *rest)"""
    total_last = np.moveaxis(total, 1, -1)
    total_last += np.moveaxis(part, 1, -1).reshape(total_last.shape)
