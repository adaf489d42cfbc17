"""Cases of ``ndl.nn.pixel_shuffle``."""

from __future__ import annotations

from ndl.verify.case import Draw, Program, case


def _lead(d: Draw) -> tuple[int, ...]:
    return d.shape(max_dims=2, high=3)


@case("nn.pixel_shuffle.pixel_shuffle")
def pixel_shuffle(d: Draw) -> Program:
    r = d.size(1, 3)
    x = d.normal(*_lead(d), d.size(1, 2) * r * r, d.size(1, 4), d.size(1, 4))
    return Program(lambda T, x: T.pixel_shuffle(x, r), x)


@case("nn.pixel_shuffle.PixelShuffle")
def pixel_shuffle_module(d: Draw) -> Program:
    r = d.size(1, 3)
    x = d.normal(*_lead(d), d.size(1, 2) * r * r, d.size(1, 4), d.size(1, 4))
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.PixelShuffle(r))


@case("nn.pixel_shuffle.pixel_unshuffle")
def pixel_unshuffle(d: Draw) -> Program:
    r = d.size(1, 3)
    x = d.normal(*_lead(d), d.size(1, 3), d.size(1, 3) * r, d.size(1, 3) * r)
    return Program(lambda T, x: T.pixel_unshuffle(x, r), x)


@case("nn.pixel_shuffle.PixelUnshuffle")
def pixel_unshuffle_module(d: Draw) -> Program:
    r = d.size(1, 3)
    x = d.normal(*_lead(d), d.size(1, 3), d.size(1, 3) * r, d.size(1, 3) * r)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.PixelUnshuffle(r))


@case("nn.pixel_shuffle.channel_shuffle")
def channel_shuffle(d: Draw) -> Program:
    g = d.size(1, 3)
    x = d.normal(d.size(1, 2), g * d.size(1, 4), *d.shape(min_dims=1, max_dims=3, high=3))
    return Program(lambda T, x: T.nn.functional.channel_shuffle(x, g), x)


@case("nn.pixel_shuffle.native_channel_shuffle")
def native_channel_shuffle(d: Draw) -> Program:
    """PyTorch's has no gradient; ours is the same function as ``channel_shuffle``."""
    g = d.size(1, 3)
    x = d.normal(d.size(1, 2), g * d.size(1, 4), *d.shape(min_dims=1, max_dims=3, high=3))
    return Program(lambda T, x: T.nn.functional.native_channel_shuffle(x, g), x, constant=(0,))


@case("nn.pixel_shuffle.ChannelShuffle")
def channel_shuffle_module(d: Draw) -> Program:
    g = d.size(1, 3)
    x = d.normal(d.size(1, 2), g * d.size(1, 4), *d.shape(min_dims=1, max_dims=3, high=3))
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.ChannelShuffle(g))
