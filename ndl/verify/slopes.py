"""Derivatives by differences, as exact as the outputs allow, and the places where there is none.

For one element with step h, D(h) = (y(x + h) − y(x − h)) / 2h has the error c h² + O(h⁴), so

    R = (4 D(h/2) − D(h)) / 3        has the error O(h⁴): about 1e-11 for h = 2⁻¹⁰,

a thousand times less than plain central differences, and |R − D(h/2)| tells whether the function is smooth at this
step. So does the second difference S(h) = (y(x + h) − 2 y(x) + y(x − h)) / h: it shrinks with h, so that
2 S(h/2) − S(h) is O(h³), unless there is a kink at x.

What is not smooth at h = 2⁻¹⁰ may be steep (sin 200x), or have a kink nearby: smaller steps tell, and only what no step
finds smooth is called a kink. Rounding of σ in y is one of σ/h in R. Where σ is large, as in what was float32 in between,
larger steps are tried as well, and every output takes the step whose error is the least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP = 2.0**-10
WIDER = (2.0**-4, 2.0**-7)
NARROWER = (2.0**-13, 2.0**-16, 2.0**-19, 2.0**-22)
SMOOTH = 1e-4  # of the largest slope: the most that R and D(h/2) differ by where the function is smooth at this step
COARSE = 2.0**-36  # of the largest output: more rounding than float64 has

Function = Callable[[np.ndarray], np.ndarray]


@dataclass
class Slopes:
    """The derivative of every output element by some elements of one leaf.

    Attributes
        columns: (elements, outputs), the outputs flattened one after another.
        uncertain: (elements), how far the sum of each column may be off.
        kink: (elements), where there is no derivative.
        coarse: (elements), where the outputs move in steps, as what was float32 in between does.
    """

    columns: np.ndarray
    uncertain: np.ndarray
    kink: np.ndarray
    coarse: np.ndarray


def slopes(y: Function, x: np.ndarray, places: np.ndarray, smooth: float = SMOOTH) -> Slopes:
    """The derivatives of y (a function of an array, giving a flat one) by the elements ``places`` of x."""
    middle = y(x)
    sigma, coarse = rounding(y, x)
    found = Slopes(np.zeros((len(places), middle.size)), *(np.zeros(len(places), t) for t in (float, bool, bool)))
    steps = (*WIDER, STEP) if coarse.any() else (STEP,)
    # What does not move at the widest step may still move by a little.
    unseen = 8 * float(np.sqrt(np.mean(sigma[coarse] ** 2))) / steps[0] if coarse.any() else 0.0
    with np.errstate(all="ignore"):
        for row, k in enumerate(places):
            one = _Element(y, x, int(k), middle, sigma, coarse, smooth)
            for step in steps:
                one.look(step)
            for step in NARROWER:
                if one.settled.all():
                    break
                one.look(step)
            found.columns[row] = one.best
            found.uncertain[row] = unseen + one.error.sum() + 8 * np.sqrt((one.noise**2).sum())
            found.coarse[row] = coarse.any()
            found.kink[row] = not np.isfinite(found.uncertain[row]) or bool(one.kink.any())
    return found


def rounding(y: Function, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """σ of each output, and whether it is more than float64 has.

    Fifth differences along a short path tell, where all that is smooth cancels. The path is the shortest on which outputs
    move at all: steps may be wider than float32's. It begins beside x, not at x, where a kink may be.
    """
    rng = np.random.default_rng(0)
    v = rng.uniform(0.5, 1.0, x.shape) * rng.choice((-1.0, 1.0), x.shape) * np.maximum(1.0, np.abs(x))
    size, most = np.zeros(()), 0
    with np.errstate(all="ignore"):
        for step in (2.0**-12, 2.0**-16, 2.0**-20):
            path = np.stack([y(np.asarray(x + j * step * v)) for j in range(1, 9)])  # (8, outputs)
            moved = int((path != path[0]).any(0).sum())
            if 2 * moved < most:
                break
            if not size.any():
                size = np.nan_to_num(np.abs(path).max(0), posinf=0.0)
            most = max(most, moved)
            sigma = np.nan_to_num(np.abs(np.diff(path, 5, axis=0)).max(0) / 252**0.5, posinf=0.0)  # 252 = Σ binomial²
        relative = (sigma / size)[(sigma > 0) & (size > 0)]
    # An output may have moved smoothly by luck: it rounds as the others do.
    usual = max(float(np.median(relative)), 2.0**-53) if relative.size else 2.0**-53
    sigma = np.maximum(sigma, usual * size)
    coarse = sigma > COARSE * size.max(initial=0.0)
    if 100 * int(coarse.sum()) < most:  # a few outputs of many have a kink on the path
        return usual * size, np.zeros_like(coarse)
    return sigma, coarse


class _Element:
    """The slopes by one element: for each output those of the best step so far.

    ``error`` and ``noise``: what they may be off by, because y is not a cubic and because of rounding. ``moved``: the
    outputs that a step changed. ``settled``, ``kink``: those that some step found smooth, and that no step found nearly so.
    """

    def __init__(
        self,
        y: Function,
        x: np.ndarray,
        k: int,
        middle: np.ndarray,
        sigma: np.ndarray,
        coarse: np.ndarray,
        smooth: float,
    ) -> None:
        self.y, self.x, self.k, self.middle = y, x, k, middle
        self.sigma, self.coarse, self.smooth = sigma, coarse, smooth
        self.unit = max(1.0, abs(float(x.reshape(-1)[k])))
        self.best, self.noise, self.error = np.zeros(middle.size), np.zeros(middle.size), np.full(middle.size, np.inf)
        self.moved, self.settled = np.zeros(middle.size, bool), np.zeros(middle.size, bool)
        self.kink = np.ones(middle.size, bool)

    def look(self, step: float) -> None:
        """Try a step, and keep what is better than before."""
        h = step * self.unit
        low, lower, higher, high = (self._at(s) for s in (-h, -h / 2, h / 2, h))
        wide, narrow = (high - low) / (2 * h), (higher - lower) / h
        best = (4 * narrow - wide) / 3
        # With a kink right here, both differences are alike: half of each side's slope. Second differences tell.
        bends = 4 * (higher + lower - 2 * self.middle) / h - (high + low - 2 * self.middle) / h
        doubt = np.maximum(np.abs(best - narrow), np.abs(bends))
        moved = np.any([p != self.middle for p in (low, lower, higher, high)], axis=0)
        inside = self.coarse & self.moved & ~moved  # a step of y, which says nothing about its slope
        doubt[~np.isfinite(doubt) | inside] = np.inf
        self.moved |= moved
        noise = np.where(moved, self.sigma / h, 0.0)
        scale = np.abs(best[np.isfinite(doubt)]).max(initial=0.0)
        smooth = doubt <= np.maximum(self.smooth * scale, 64 * noise)
        error = np.where(smooth, 1e-4 * doubt, doubt)
        better = ~(error + 8 * noise >= self.error + 8 * self.noise)
        for old, new in ((self.best, best), (self.noise, noise), (self.error, error)):
            np.copyto(old, new, where=better)
        self.settled |= smooth
        self.kink &= ~(doubt <= np.maximum(10 * SMOOTH * scale, 64 * noise))

    def _at(self, step: float) -> np.ndarray:
        there = np.array(self.x)
        there.reshape(-1)[self.k] += step
        return self.y(there)
