"""Pixel shuffle and its inverse, and channel shuffle: the same numbers at other places, so dx is dy moved back.

    pixel shuffle     y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w]      dx = unshuffle(dy)
    pixel unshuffle   y[c·r² + i·r + j, h, w] = x[c, h·r + i, w·r + j]      dx = shuffle(dy)
    channel shuffle   y[k·g + i] = x[i·(C/g) + k]                           dx = the shuffle of C/g groups of dy

A convolution with r² times the channels and a pixel shuffle make a picture r times as large: Shi et al., "Real-Time
Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016. Channel shuffle
lets grouped convolutions see each other's channels: Zhang et al., "ShuffleNet", 2017.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.nn.module import Module
from ndl.ops.dims import values

__all__ = [
    "ChannelShuffle",
    "PixelShuffle",
    "PixelUnshuffle",
    "channel_shuffle",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
]


class SpaceFromChannels(ArrayFunction):
    """Pixel shuffle: (…, C·r², H, W) -> (…, C, H·r, W·r);  dx = ChannelsFromSpace(dy)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, r: int) -> np.ndarray:
        ctx.r = r
        *lead, C, H, W = x.shape
        C //= r * r
        k = len(lead)
        parts = x.reshape(*lead, C, r, r, H, W)
        y = parts.transpose(*range(k), k, k + 3, k + 1, k + 4, k + 2)  # (…, C, H, r, W, r)
        return y.copy().reshape(*lead, C, H * r, W * r)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return ChannelsFromSpace.apply(dy, ctx.r), None


class ChannelsFromSpace(ArrayFunction):
    """Pixel unshuffle: (…, C, H·r, W·r) -> (…, C·r², H, W);  dx = SpaceFromChannels(dy)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, r: int) -> np.ndarray:
        ctx.r = r
        *lead, C, H, W = x.shape
        H, W = H // r, W // r
        k = len(lead)
        parts = x.reshape(*lead, C, H, r, W, r)
        y = parts.transpose(*range(k), k, k + 2, k + 4, k + 1, k + 3)  # (…, C, r, r, H, W)
        return y.copy().reshape(*lead, C * r * r, H, W)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return SpaceFromChannels.apply(dy, ctx.r), None


class Interleave(ArrayFunction):
    """Channel shuffle: (N, g, C/g, …) read as (N, C/g, g, …);  dx = Interleave(dy) with C/g groups."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, groups: int) -> np.ndarray:
        N, C, *rest = x.shape
        ctx.back = max(C // groups, 1)
        y = x.reshape(N, groups, C // groups, *rest).swapaxes(1, 2)  # (N, C/g, g, …)
        return y.copy().reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Interleave.apply(dy, ctx.back), None


def _factor(name: str, what: str, given: Any) -> int:
    try:
        r = operator.index(given)
    except TypeError:
        raise TypeError(f"{name}(): argument '{what}' (position 2) must be int, not {type(given).__name__}") from None
    if r <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {r}")
    return r


def _picture(name: str, x: np.ndarray) -> None:
    if x.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)"
        )


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels to pixels: (…, C·r², H, W) -> (…, C, H·r, W·r) with r = ``upscale_factor``. dx = pixel_unshuffle(dy).

    Raises RuntimeError for channels that r² does not divide, fewer than 3 dimensions, or r < 1.
    """
    x = values(input, "pixel_shuffle")
    _picture("pixel_shuffle", x)
    r = _factor("pixel_shuffle", "upscale_factor", upscale_factor)
    if x.shape[-3] % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={x.shape[-3]} is not divisible by {r * r}"
        )
    return SpaceFromChannels.apply(input, r)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Pixels to channels: (…, C, H·r, W·r) -> (…, C·r², H, W) with r = ``downscale_factor``. dx = pixel_shuffle(dy).

    Raises RuntimeError for a height or width that r does not divide, fewer than 3 dimensions, or r < 1.
    """
    x = values(input, "pixel_unshuffle")
    _picture("pixel_unshuffle", x)
    r = _factor("pixel_unshuffle", "downscale_factor", downscale_factor)
    for name, dim in (("height", -2), ("width", -1)):
        if x.shape[dim] % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})="
                f"{x.shape[dim]} is not divisible by {r}"
            )
    return ChannelsFromSpace.apply(input, r)


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of ``groups`` groups taken in turn: (N, C, …) -> (N, C, …). dx = channel_shuffle(dy, C / groups).

    Raises RuntimeError for channels that ``groups`` does not divide, fewer than 3 dimensions, or groups < 1.
    """
    x = values(input, "channel_shuffle")
    if x.ndim <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(x.shape)}")
    if not isinstance(groups, (int, np.integer)):
        raise TypeError(f"channel_shuffle(): argument 'groups' (position 2) must be int, not {type(groups).__name__}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if x.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {x.shape[1]} channels and {groups} groups."
        )
    return Interleave.apply(input, int(groups))


native_channel_shuffle = channel_shuffle


class PixelShuffle(Module):
    """(…, C·r², H, W) -> (…, C, H·r, W·r); see ``pixel_shuffle``."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(…, C, H·r, W·r) -> (…, C·r², H, W); see ``pixel_unshuffle``."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """(N, C, …) -> (N, C, …) with the channels of the groups taken in turn; see ``channel_shuffle``."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        return channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
