"""Cases of ``ndl.nn.grid_sample`` and ``ndl.nn.affine_grid``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

PADDINGS = ("zeros", "border", "reflection")


def _grid(d: Draw, lead: tuple[int, ...], size: tuple[int, ...], align_corners: bool, mode: str) -> np.ndarray:
    """Places inside and outside, each a tenth of a pixel or more from every edge at which a gradient jumps.

    The nearest of two pixels that are equally far is a matter of rounding: there no draw may be nasty.
    """
    columns = []
    for n in reversed(size):
        whole = d.integers(-2 * n, 3 * n, *lead)
        part = d.rng().uniform(0.1, 0.4, lead) if mode == "nearest" else d.uniform(*lead, low=0.1, high=0.4)
        p = whole + part + 0.5 * d.integers(0, 1, *lead)
        columns.append((2 * p / max(n - 1, 1) - 1) if align_corners else (2 * p + 1) / n - 1)
    return np.stack(columns, -1)


def _drawn(d: Draw) -> tuple[np.ndarray, np.ndarray, tuple[str, str, bool]]:
    """A picture, a grid and the options."""
    dims = d.integer(2, 3)
    mode = d.choice(["bilinear", "nearest", "bicubic"] if dims == 2 else ["bilinear", "nearest"])
    padding, align_corners = d.choice(PADDINGS), d.boolean()
    N, size = d.size(1, 2), tuple(d.size(1, 4) for _ in range(dims))
    x = d.normal(N, d.size(1, 3), *size)
    grid = _grid(d, (N, *[d.size(1, 3) for _ in range(dims)]), size, align_corners, mode)
    return x, grid, (mode, padding, align_corners)


@case("nn.grid_sample.grid_sample")
def grid_sample(d: Draw) -> Program:
    x, grid, options = _drawn(d)
    return Program(lambda T, x, g: T.nn.functional.grid_sample(x, g, *options), x, grid)


@case("nn.grid_sample.grid_sample.one_gradient")
def one_gradient(d: Draw) -> Program:
    """Of the picture alone, or of the places alone."""
    constant = (d.integer(0, 1),)
    x, grid, options = _drawn(d)
    return Program(lambda T, x, g: T.nn.functional.grid_sample(x, g, *options), x, grid, constant=constant)


@case("nn.grid_sample.grid_sample.recorded")
def recorded(d: Draw) -> Program:
    """The gradients with a graph of their own are the same. PyTorch has them, but no second derivatives."""
    x, grid, options = _drawn(d)

    def run(T: Any, x: Any, g: Any) -> Any:
        y = T.nn.functional.grid_sample(x, g, *options)
        wanted = [t for t in (x, g) if t.requires_grad]
        return [dt.detach() for dt in T.autograd.grad((y * y).sum(), wanted, create_graph=True)]

    return Program(run, x, grid, numeric=False, second=False)


@case("nn.grid_sample.grid_sample.edges")
def edges(d: Draw) -> Program:
    """Places on pixels and on the border, where gradients jump."""
    mode, padding = d.choice(["bilinear", "bicubic"]), d.choice(PADDINGS)
    x = d.normal(1, 2, 3, 5)
    grid = d.integers(-4, 4, 1, 4, 4, 2) / 2.0
    return Program(lambda T, x, g: T.nn.functional.grid_sample(x, g, mode, padding, True), x, grid, numeric=False)


@case("nn.affine_grid.affine_grid")
def affine_grid(d: Draw) -> Program:
    dims, align_corners = d.integer(2, 3), d.boolean()
    theta = d.normal(d.size(1, 3), dims, dims + 1)
    size = (len(theta), d.size(1, 3), *[d.size(2, 5) for _ in range(dims)])
    return Program(lambda T, theta: T.nn.functional.affine_grid(theta, size, align_corners=align_corners), theta)


@case("nn.affine_grid.spatial_transformer")
def spatial_transformer(d: Draw) -> Program:
    """The two together: the gradient reaches θ through the grid."""
    x, theta = d.normal(2, 2, 5, 4), d.uniform(2, 2, 3) + 0.037

    def run(T, x, theta):
        grid = T.nn.functional.affine_grid(theta, (2, 2, 3, 6), align_corners=False)
        return T.nn.functional.grid_sample(x, grid, align_corners=False)

    return Program(run, x, theta, numeric=False)
