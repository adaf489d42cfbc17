"""Cases of ``ndl.nn.conv`` and ``ndl.nn.conv_transpose``."""

from __future__ import annotations

from typing import Any

from ndl.verify.case import Draw, Program, case


def _options(d: Draw, n: int) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]:
    """Stride, padding and dilation, with a kernel and an input that it fits into."""
    stride = tuple(d.integer(1, 3) for _ in range(n))
    dilation = tuple(d.integer(1, 2) for _ in range(n))
    kernel = d.choice([(1, 7), (5, 3)]) if n == 2 and d.integer(0, 3) == 0 else tuple(d.integer(1, 3) for _ in range(n))
    padding = tuple(d.integer(0, 2) for _ in range(n))
    size = tuple(
        max(1, s * (k - 1) + 1 - 2 * p) + d.integer(0, 4 if n < 3 else 1) for s, k, p in zip(dilation, kernel, padding)
    )
    return {"stride": stride, "padding": padding, "dilation": dilation}, kernel, size


def _channels(d: Draw) -> tuple[int, int, int]:
    """(groups, channels in and out of a group); sometimes depthwise."""
    return d.integer(1, 3), d.integer(1, 3), d.integer(1, 2)


def _convolution(n: int) -> None:
    @case(f"nn.conv.conv{n}d")
    def function(d: Draw) -> Program:
        options, kernel, size = _options(d, n)
        groups, i, o = _channels(d)
        x = d.normal(*([] if d.integer(0, 4) == 0 else [d.size(1, 3)]), groups * i, *size)
        arrays = [x, d.normal(groups * o, i, *kernel), *([d.normal(groups * o)] if d.boolean() else [])]
        f, constant = f"conv{n}d", d.choice([(), (), (0,), (1,)])
        return Program(
            lambda T, *a: getattr(T.nn.functional, f)(*a, groups=groups, **options), *arrays, constant=constant
        )

    @case(f"nn.conv.Conv{n}d")
    def module(d: Draw) -> Program:
        mode = d.choice(["zeros", "reflect", "replicate", "circular"])
        padding: Any = d.choice(["same", "valid", 1])
        k, dilation, bias = d.integer(1, 3), d.integer(1, 2), d.boolean()
        stride = 1 if padding == "same" else d.integer(1, 2)
        size = tuple(d.integer(5, 7) if n < 3 else 5 for _ in range(n))

        def make(T: Any) -> Any:
            return getattr(T.nn, f"Conv{n}d")(2, 3, k, stride, padding, dilation, bias=bias, padding_mode=mode)

        return Program(lambda T, m, x: m(x), d.normal(2, 2, *size), module=make)

    @case(f"nn.conv_transpose.conv_transpose{n}d")
    def transposed(d: Draw) -> Program:
        groups, i, o = _channels(d)
        stride = tuple(d.integer(1, 3) for _ in range(n))
        dilation = tuple(d.integer(1, 2) for _ in range(n))
        kernel = tuple(d.integer(1, 3) for _ in range(n))
        padding = tuple(d.integer(0, (e * (k - 1) + 1) // 2) for e, k in zip(dilation, kernel))
        extra = tuple(d.integer(0, max(s, e) - 1) for s, e in zip(stride, dilation))
        size = tuple(d.integer(2, 4) for _ in range(n))
        batch = [] if d.integer(0, 4) == 0 else [d.size(1, 3)]
        x, W, b = d.normal(*batch, groups * i, *size), d.normal(groups * i, o, *kernel), d.normal(groups * o)

        def run(T: Any, x: Any, W: Any, b: Any) -> Any:
            f = getattr(T.nn.functional, f"conv_transpose{n}d")
            return f(x, W, b, stride, padding, extra, groups, dilation)

        return Program(run, x, W, b, constant=d.choice([(), (), (0,), (1,)]))

    @case(f"nn.conv_transpose.ConvTranspose{n}d")
    def transposed_module(d: Draw) -> Program:
        bias, more = d.boolean(), d.integer(0, 1)
        size = tuple(d.integer(2, 4) for _ in range(n))
        wanted = tuple(2 * m - 1 + more for m in size)

        def make(T: Any) -> Any:
            return getattr(T.nn, f"ConvTranspose{n}d")(2, 3, 3, stride=2, padding=1, bias=bias)

        return Program(lambda T, m, x: m(x, output_size=wanted), d.normal(2, 2, *size), module=make)


for _n in (1, 2, 3):
    _convolution(_n)


@case("nn.conv.conv2d.empty_batch")
def empty_batch(d: Draw) -> Program:
    i, o, groups, k = d.choice([(2, 3, 1, 3), (2, 1, 2, 3), (1, 1, 3, 3), (2, 2, 2, 1)])  # depthwise, pointwise ...
    x, W, b = d.normal(0, groups * i, 5, 4), d.normal(groups * o, i, k, k), d.normal(groups * o)
    return Program(lambda T, x, W, b: T.nn.functional.conv2d(x, W, b, groups=groups), x, W, b)


@case("nn.conv_transpose.conv_transpose2d.empty_batch")
def empty_transposed(d: Draw) -> Program:
    x, W, b = d.normal(0, 2, 5, 4), d.normal(2, 3, 3, 3), d.normal(3)
    return Program(lambda T, x, W, b: T.nn.functional.conv_transpose2d(x, W, b, 2), x, W, b)


@case("nn.conv.conv2d.ladder")
def ladder(d: Draw) -> Program:
    """What every rung can do, in pieces of one and of several pictures."""
    height, groups = d.choice([3, 3, 3, 5]), d.integer(1, 2)
    width = 3 if height == 3 else 2
    i, o = d.choice([(1, 2), (3, 2), (8, 8)])
    size = d.choice([(4, 6), (6, 5), (8, 11), (14, 4)]) if height == 3 else (7, 5)
    x, W = d.normal(d.integer(3, 10), groups * i, *size), d.normal(groups * o, i, height, width)
    padding = (d.integer(0, 2), d.integer(0, 1))
    return Program(lambda T, x, W: T.nn.functional.conv2d(x, W, None, 1, padding, 1, groups), x, W, numeric=False)


@case("nn.conv.conv2d.depthwise")
def depthwise(d: Draw) -> Program:
    C, stride = d.integer(2, 5), d.integer(1, 2)
    x, W = d.normal(d.integer(3, 7), C, d.size(4, 7), d.size(4, 7)), d.normal(C, 1, 3, d.integer(1, 3))
    return Program(lambda T, x, W: T.nn.functional.conv2d(x, W, None, stride, 1, 1, C), x, W)


@case("nn.conv.conv2d.pointwise")
def pointwise(d: Draw) -> Program:
    i, o, stride = d.integer(1, 3), d.integer(1, 3), d.choice([(1, 2), (2, 1), (3, 2)])
    x, W = d.normal(d.integer(1, 3), 2 * i, d.size(4, 7), d.size(4, 7)), d.normal(2 * o, i, 1, 1)
    return Program(lambda T, x, W: T.nn.functional.conv2d(x, W, None, stride, 0, 1, 2), x, W)


@case("nn.conv.conv3d.uneven")
def uneven(d: Draw) -> Program:
    """No two axes alike."""
    x, W = d.normal(2, 2, d.integer(7, 8), 3, 4), d.normal(3, 2, 3, 2, 1)
    return Program(lambda T, x, W: T.nn.functional.conv3d(x, W, None, (2, 1, 3), (1, 0, 0), (2, 1, 1)), x, W)


@case("nn.conv.wide")
def wide(d: Draw) -> Program:
    """Products of so many numbers that they are cut into short ones, with and without a rest."""
    i, o, n, size, kernel = d.choice(
        [
            (24, 32, 2, (9, 10), (3, 3)),
            (24, 32, 1, (11, 17), (3, 3)),
            (12, 40, 12, (11, 16), (3, 3)),
            (64, 64, 8, (16, 16), (3, 2)),
        ]
    )
    x, W = d.normal(n, i, *size), d.normal(o, i, *kernel)
    return Program(lambda T, x, W: T.nn.functional.conv2d(x, W, None, 1, 1), x, W, numeric=False, second=False)
