"""Cases of ``ndl.nn.max_pool``, ``avg_pool``, ``adaptive_pool`` and ``max_unpool``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case


def _windows(d: Draw, n: int, dilated: bool) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Options of a pooling, and the size of an input that every window meets."""
    kernel = tuple(d.integer(1, 3) for _ in range(n))
    dilation = tuple(d.integer(1, 2) for _ in range(n)) if dilated else (1,) * n
    reach = [e * (k - 1) + 1 for e, k in zip(dilation, kernel)]
    padding = tuple(d.integer(0, k // 2) for k in kernel)
    # PyTorch refuses to average a volume smaller than the kernel, whatever its padding.
    least = [max(1, r if n == 3 and not dilated else r - p) for r, p in zip(reach, padding)]
    size = tuple(m + d.integer(0, 4 if n < 3 else 2) for m in least)
    options: dict[str, Any] = {"kernel_size": kernel, "padding": padding, "ceil_mode": d.boolean()}
    if d.boolean():
        options["stride"] = tuple(d.integer(1, 3) for _ in range(n))
    if dilated:
        options["dilation"] = dilation
    return options, size


def _lead(d: Draw) -> list[int]:
    """Pictures and channels; sometimes one picture without its batch dimension."""
    return [d.size(1, 3)] if d.integer(0, 4) == 0 else [d.size(1, 3), d.size(1, 3)]


def _tiles(d: Draw, n: int, dilated: bool) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Windows that cover an input exactly, or almost: overlapping, with gaps between them or with a rest behind them."""
    kernel = tuple(d.integer(1, 3) for _ in range(n))
    off, rest = d.choice([(0, 0), (0, 0), (-1, 0), (1, 0), (0, 1)])  # of the stride, of the size
    size = tuple(k * d.integer(1, 3) + rest for k in kernel)
    dilation = tuple(d.integer(1, 2) if dilated and m >= 2 * k - 1 else 1 for k, m in zip(kernel, size))
    stride = tuple(max(1, k + off) for k in kernel)
    options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "ceil_mode": d.boolean()}
    return options | ({"dilation": dilation} if dilated else {}), (d.size(1, 2), d.size(1, 2), *size)


def _unwritten_shows(T: Any, x: Any, y: Any) -> Any:
    """y. The next array of x's size is given the memory of this one: where nothing is written to it, it has nan."""
    T.full_like(x, np.nan)
    return y


def _pooling(n: int) -> None:
    @case(f"nn.max_pool.max_pool{n}d")
    def max_pool(d: Draw) -> Program:
        options, size = _windows(d, n, True)
        x = d.distinct(*_lead(d), *size)
        indices = d.boolean()
        return Program(lambda T, x: getattr(T.nn.functional, f"max_pool{n}d")(x, return_indices=indices, **options), x)

    @case(f"nn.max_pool.max_pool{n}d.ties")
    def max_ties(d: Draw) -> Program:
        options, size = _windows(d, n, True)
        x = d.ties(*_lead(d), *size)
        special = d.choice([None, np.nan, -np.inf, np.inf])
        if special is not None:
            x[d.mask(*x.shape)] = special
        f = f"max_pool{n}d_with_indices"
        return Program(lambda T, x: getattr(T.nn.functional, f)(x, **options), x, numeric=False)

    @case(f"nn.max_pool.max_pool{n}d.tiles")
    def max_tiles(d: Draw) -> Program:
        options, size = _tiles(d, n, True)
        f = f"max_pool{n}d"
        return Program(
            lambda T, x: _unwritten_shows(T, x, getattr(T.nn.functional, f)(x, **options)), d.distinct(*size)
        )

    @case(f"nn.avg_pool.avg_pool{n}d.tiles")
    def avg_tiles(d: Draw) -> Program:
        options, size = _tiles(d, n, False)
        f = f"avg_pool{n}d"
        return Program(lambda T, x: _unwritten_shows(T, x, getattr(T.nn.functional, f)(x, **options)), d.normal(*size))

    @case(f"nn.max_pool.MaxPool{n}d")
    def max_module(d: Draw) -> Program:
        options, size = _windows(d, n, True)
        options["return_indices"] = d.boolean()
        return Program(
            lambda T, m, x: m(x),
            d.distinct(*_lead(d), *size),
            module=lambda T: getattr(T.nn, f"MaxPool{n}d")(**options),
        )

    @case(f"nn.avg_pool.avg_pool{n}d")
    def avg_pool(d: Draw) -> Program:
        options, size = _windows(d, n, False)
        options["count_include_pad"] = d.boolean()
        if n > 1:
            options["divisor_override"] = d.choice([None, 3, -2])
        x = d.normal(*_lead(d), *size)
        return Program(lambda T, x: getattr(T.nn.functional, f"avg_pool{n}d")(x, **options), x)

    @case(f"nn.avg_pool.AvgPool{n}d")
    def avg_module(d: Draw) -> Program:
        options, size = _windows(d, n, False)
        options["count_include_pad"] = d.boolean()
        return Program(
            lambda T, m, x: m(x),
            d.normal(*_lead(d), *size),
            module=lambda T: getattr(T.nn, f"AvgPool{n}d")(**options),
        )

    @case(f"nn.avg_pool.LPPool{n}d")
    def lp_pool(d: Draw) -> Program:
        p, kernel, ceil_mode = d.choice([1, 2, 3.5]), d.integer(1, 3), d.boolean()
        stride = d.choice([None, 1, 2])
        x = d.positive(*_lead(d), *[kernel + d.integer(0, 3) for _ in range(n)])
        if d.boolean():
            return Program(lambda T, x: getattr(T.nn.functional, f"lp_pool{n}d")(x, p, kernel, stride, ceil_mode), x)
        return Program(
            lambda T, m, x: m(x),
            x,
            module=lambda T: getattr(T.nn, f"LPPool{n}d")(p, kernel, stride=stride, ceil_mode=ceil_mode),
        )

    @case(f"nn.adaptive_pool.adaptive_avg_pool{n}d")
    def adaptive_avg(d: Draw) -> Program:
        output, x = _adaptive(d, n), d.normal(*_lead(d), *[d.integer(1, 7 if n < 3 else 4) for _ in range(n)])
        if d.boolean():
            return Program(lambda T, x: getattr(T.nn.functional, f"adaptive_avg_pool{n}d")(x, output), x)
        return Program(lambda T, m, x: m(x), x, module=lambda T: getattr(T.nn, f"AdaptiveAvgPool{n}d")(output))

    @case(f"nn.adaptive_pool.adaptive_max_pool{n}d")
    def adaptive_max(d: Draw) -> Program:
        output, x = _adaptive(d, n), d.distinct(*_lead(d), *[d.integer(1, 7 if n < 3 else 4) for _ in range(n)])
        indices = d.boolean()
        if d.boolean():
            f = f"adaptive_max_pool{n}d"
            return Program(lambda T, x: getattr(T.nn.functional, f)(x, output, indices), x)
        return Program(lambda T, m, x: m(x), x, module=lambda T: getattr(T.nn, f"AdaptiveMaxPool{n}d")(output, indices))

    @case(f"nn.adaptive_pool.adaptive_max_pool{n}d.ties")
    def adaptive_ties(d: Draw) -> Program:
        output, x = _adaptive(d, n), d.ties(*_lead(d), *[d.integer(1, 7 if n < 3 else 4) for _ in range(n)])
        if d.boolean():
            x[d.mask(*x.shape)] = np.nan
        f = f"adaptive_max_pool{n}d_with_indices"
        return Program(lambda T, x: getattr(T.nn.functional, f)(x, output), x, numeric=False)

    @case(f"nn.max_unpool.MaxUnpool{n}d")
    def unpool(d: Draw) -> Program:
        kernel = d.integer(1, 3)
        size = tuple(kernel + d.integer(0, 3) for _ in range(n))
        x, z = d.distinct(*_lead(d), *size), d.normal(1)
        wanted = d.choice([None, size])

        def run(T: Any, m: Any, x: Any, z: Any) -> Any:
            y, places = getattr(T.nn.functional, f"max_pool{n}d")(x, kernel, return_indices=True)
            if wanted is None:  # indices count through the size that the unpooling will have
                _, places = getattr(T.nn.functional, f"max_pool{n}d")(m(y, places * 0) * 0, kernel, return_indices=True)
            return m(y * z, places, output_size=wanted)

        return Program(run, x, z, module=lambda T: getattr(T.nn, f"MaxUnpool{n}d")(kernel))


def _adaptive(d: Draw, n: int) -> Any:
    """A size of the output: one number, or one for each dimension, some of them None."""
    if n == 1 or d.boolean():
        return d.integer(1, 5)
    return tuple(d.choice([None, 1, 2, 3, 5]) for _ in range(n))


for _n in (1, 2, 3):
    _pooling(_n)


@case("nn.max_pool.max_pool2d.empty_batch")
def empty_batch(d: Draw) -> Program:
    x = d.normal(0, 2, 5, 4)
    return Program(lambda T, x: T.nn.functional.max_pool2d(x, 2, return_indices=True), x, second=False)


@case("nn.max_pool.max_pool2d.missed")
def missed(d: Draw) -> Program:
    """Windows so dilated that, along one axis or both, none of their taps lies inside: y = −∞, dx = 0."""
    size = tuple(d.integer(1, 4) for _ in range(2))
    misses = d.choice([(True, False), (False, True), (True, True)])
    kernel = tuple(2 if m else d.integer(1, n) for m, n in zip(misses, size))
    dilation = tuple(n + 1 if m else 1 for m, n in zip(misses, size))
    padding = tuple(map(int, misses))
    only_finite = d.boolean()

    def run(T: Any, x: Any) -> Any:
        y = T.nn.functional.max_pool2d(x, kernel, 1, padding, dilation)
        return T.where(T.isinf(y), x.sum(), y) if only_finite else y

    # PyTorch's index of such a winner lies behind the picture, and its backward pass writes there.
    return Program(run, d.normal(2, 3, *size), parity=False, numeric=only_finite)


@case("nn.avg_pool.avg_pool2d.empty_batch")
def empty_average(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.avg_pool2d(x, 2), d.normal(0, 2, 5, 4), second=False)


@case("nn.adaptive_pool.adaptive_avg_pool2d.empty_batch")
def empty_adaptive(d: Draw) -> Program:
    size, shape = d.choice([1, 2, 3]), (0, 2, 6, 4)
    return Program(lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, size), d.normal(*shape), second=False)
