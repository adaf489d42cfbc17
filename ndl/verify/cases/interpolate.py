"""Cases of ``ndl.nn.interpolate``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

MODES = {1: ("nearest", "nearest-exact", "linear", "area"), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}
FACTORS = (0.4, 0.5, 0.75, 1.0, 1.3, 1.5, 2.0, 2.5, 3.0)


def _factor(d: Draw, n: int) -> float:
    """One that leaves a pixel. PyTorch's own gradients contradict its output for ⌊n·f⌋ = n, f ≠ 1, and 2n, f ≠ 2."""
    possible = [f for f in FACTORS if int(n * f) >= 1 and (f in (1.0, 2.0) or int(n * f) not in (n, 2 * n))]
    return d.choice(possible)


def _options(d: Draw, size: tuple[int, ...], mode: str) -> dict[str, Any]:
    options: dict[str, Any] = {"mode": mode}
    kind = d.integer(0, 3)
    if kind == 0:
        options["size"] = d.size(1, 9)
    elif kind == 1:
        options["size"] = tuple(d.size(1, 9) for _ in size)
    elif kind == 2:
        options["scale_factor"] = tuple(_factor(d, n) for n in size)
    else:
        options["scale_factor"] = _factor(d, size[0]) if len(set(size)) == 1 else 2
    if kind >= 2:
        options["recompute_scale_factor"] = d.choice([None, False, True])
    if mode not in ("nearest", "nearest-exact", "area"):
        options["align_corners"] = d.choice([None, False, True])
    return options


def _input(d: Draw, dims: int) -> tuple[np.ndarray, tuple[int, ...]]:
    size = tuple(d.size(1, 6) for _ in range(dims))
    return d.normal(d.size(1, 2), d.size(1, 3), *size), size


@case("nn.interpolate.interpolate")
def interpolate(d: Draw) -> Program:
    """Every mode in every number of dimensions that it has."""
    dims = d.integer(1, 3)
    mode = d.choice(MODES[dims] + (MODES[1][:2] + MODES[1][3:] if dims > 1 else ()))
    x, size = _input(d, dims)
    options = _options(d, size, mode)
    return Program(lambda T, x: T.nn.functional.interpolate(x, **options), x)


@case("nn.interpolate.interpolate.antialias")
def antialias(d: Draw) -> Program:
    """Inputs and outputs two pixels wide or more: where one is a single column, PyTorch weights the wrong rows."""
    size = d.size(1, 6), d.size(2, 6)
    x = d.normal(d.size(1, 2), d.size(1, 3), *size)
    mode = d.choice(["bilinear", "bicubic", "lanczos"])
    options: dict[str, Any] = {"mode": mode, "antialias": True, "align_corners": d.choice([None, False, True])}
    if d.boolean():
        options["size"] = (d.size(1, 9), d.size(2, 9))
    else:
        options["scale_factor"] = (_factor(d, size[0]), d.choice([1.0, 2.0, 3.0]))
        options["recompute_scale_factor"] = d.boolean()
    if mode == "lanczos":
        options["align_corners"] = False
    return Program(lambda T, x: T.nn.functional.interpolate(x, **options), x)


@case("nn.interpolate.interpolate.large")
def large(d: Draw) -> Program:
    """Sizes beyond which the matrices are no longer multiplied whole.

    Only the output of nearest-exact: PyTorch's gradient rounds in another type and now and then takes the next pixel.
    """
    n = d.integer(90, 140)
    x = d.normal(1, 2, n, 3)
    mode = d.choice(["bilinear", "nearest", "nearest-exact"])
    m = d.choice([7, 64, 2 * n, 3 * n + 1])
    constant = (0,) if mode == "nearest-exact" else ()
    return Program(lambda T, x: T.nn.functional.interpolate(x, (m, 5), mode=mode), x, numeric=False, constant=constant)


@case("nn.interpolate.Upsample")
def upsample(d: Draw) -> Program:
    dims = d.integer(1, 3)
    mode = d.choice(MODES[dims])
    x, size = _input(d, dims)
    options = _options(d, size, mode)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.Upsample(**options))


@case("nn.interpolate.UpsamplingNearest2d")
def nearest(d: Draw) -> Program:
    x, _ = _input(d, 2)
    options: dict[str, Any] = {"size": (d.size(1, 9), d.size(1, 9))} if d.boolean() else {"scale_factor": d.size(1, 3)}
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.UpsamplingNearest2d(**options))


@case("nn.interpolate.UpsamplingBilinear2d")
def bilinear(d: Draw) -> Program:
    x, _ = _input(d, 2)
    options: dict[str, Any] = {"size": (d.size(1, 9), d.size(1, 9))} if d.boolean() else {"scale_factor": d.size(1, 3)}
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.UpsamplingBilinear2d(**options))


@case("nn.interpolate.upsample")
def deprecated(d: Draw) -> Program:
    """The deprecated functions, without their warnings."""
    import warnings

    x, _ = _input(d, 2)
    name = d.choice(["upsample", "upsample_nearest", "upsample_bilinear"])
    factor = d.size(1, 3)

    def run(T: Any, x: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(T.nn.functional, name)(x, scale_factor=factor)

    return Program(run, x)
