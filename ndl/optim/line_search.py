"""A line search for the strong Wolfe conditions.

Along a direction d with slope φ′(0) = g · d < 0 it looks for a step t of φ(t) = f(x + t d) with

    φ(t) ≤ φ(0) + c₁ t φ′(0)          enough is gained (Armijo)
    |φ′(t)| ≤ c₂ |φ′(0)|              the slope is mostly gone (curvature)

First steps that grow until an interval must contain such a point, then a zoom into it: each trial is the minimum of
the cubic through both ends' values and slopes. The curvature condition is what L-BFGS needs for y · s > 0.

Source: J. Nocedal, S. Wright, "Numerical optimization", 2nd ed., algorithms 3.5 and 3.6, and equation 3.59, in the
form of M. Schmidt's minFunc, which PyTorch follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]


class Point(NamedTuple):
    """φ and φ′ at a step, with the whole gradient there."""

    t: Any
    f: Any
    slope: Any
    g: np.ndarray


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, np.ndarray]],
    t: Any,
    d: np.ndarray,
    start: Point,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_evaluations: int = 25,
) -> tuple[Point, int]:
    """The step found, and how often ``evaluate(t) -> (f, g)`` was called. It begins at t; ``start`` is φ at 0."""

    def at(t: Any) -> Point:
        f, g = evaluate(t)
        return Point(t, f, g.dot(d), g)

    def too_high(point: Point) -> bool:
        return point.f > start.f + c1 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    # Grow until [before, here] must contain a step that fulfils both conditions.
    before, here = start, at(t)
    tried = 0  # trials after the first
    while tried < max_evaluations:
        if too_high(here) or (tried > 1 and here.f >= before.f):
            break
        if flat(here):
            return here, tried + 1
        if here.slope >= 0:
            break
        nearest, farthest = here.t + 0.01 * (here.t - before.t), here.t * 10
        before, here = here, at(cubic_minimum(before, here, (nearest, farthest)))
        tried += 1
    else:
        before = start
    ends = [before, here]
    low = 0 if before.f <= here.f else 1

    # Zoom: the low end is the best point so far, and the slope there leads towards the other end.
    reach = np.abs(d).max()
    stuck = False  # the last trial lay close to an end
    while tried < max_evaluations and not abs(ends[1].t - ends[0].t) * reach < tolerance_change:
        left, right = min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t)
        t = cubic_minimum(ends[0], ends[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or t >= right or t <= left:
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = True
        here = at(t)
        tried += 1
        if too_high(here) or here.f >= ends[low].f:
            ends[1 - low] = here
            low = 0 if ends[0].f <= ends[1].f else 1
        else:
            if flat(here):
                return here, tried + 1
            if here.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = here
    return ends[low], tried + 1


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """The step where the cubic with the values and slopes of a and b has its minimum, within ``bounds``.

    With D₁ = a′ + b′ − 3 (a − b)/(tₐ − t_b) and D₂ = √(D₁² − a′ b′), for tₐ ≤ t_b it is
    t_b − (t_b − tₐ) (b′ + D₂ − D₁) / (b′ − a′ + 2 D₂). Without a real root, the middle of the bounds.
    """
    if a.t > b.t:
        a, b = b, a
    smallest, largest = bounds if bounds is not None else (a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (smallest + largest) / 2.0
    d2 = np.sqrt(square)
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)), smallest), largest)
