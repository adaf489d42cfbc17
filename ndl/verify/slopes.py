"""Derivatives by differences, as exact as float64 allows, and the places where there is none.

For one element with step h, D(h) = (y(x + h) − y(x − h)) / 2h has the error c h² + O(h⁴), so

    R = (4 D(h/2) − D(h)) / 3        has the error O(h⁴): about 1e-11 for h = 2⁻¹⁰,

a thousand times less than plain central differences, and |R − D(h/2)| tells whether the function is smooth here. So does
the second difference S(h) = (y(x + h) − 2 y(x) + y(x − h)) / h: it shrinks with h, so that 2 S(h/2) − S(h) is O(h³),
unless there is a kink at x. Where the function is not smooth, a step of 1e-6 decides, and slopes to the left and to the
right that differ tell a kink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP = 2.0**-10
TINY = 1e-6


@dataclass
class Slopes:
    """The derivative of every output element by some elements of one leaf.

    Attributes
        columns: (elements, outputs), the outputs flattened one after another.
        uncertain: (elements), how far each column may be off.
        kink: (elements), where there is no derivative.
        coarse: (elements), where the outputs move in steps, as what was float32 in between does.
    """

    columns: np.ndarray
    uncertain: np.ndarray
    kink: np.ndarray
    coarse: np.ndarray


def slopes(y: Callable[[np.ndarray], np.ndarray], x: np.ndarray, places: np.ndarray) -> Slopes:
    """The derivatives of y (a function of an array, giving a flat one) by the elements ``places`` of x."""
    middle = y(x)
    columns = np.zeros((len(places), middle.size))
    uncertain, kink, coarse = np.zeros(len(places)), np.zeros(len(places), bool), np.zeros(len(places), bool)
    size = max(1.0, np.abs(middle).max(initial=0.0))
    for row, k in enumerate(places):
        at = float(x.reshape(-1)[k])
        h = STEP * max(1.0, abs(at))

        def moved(step: float, k: int = int(k), at: float = at) -> np.ndarray:
            there = np.array(x)
            there.reshape(-1)[k] = at + step
            return y(there)

        (low, high), (lower, higher) = ((moved(-s), moved(s)) for s in (h, h / 2))
        wide, narrow = (high - low) / (2 * h), (higher - lower) / h
        best = (4 * narrow - wide) / 3
        # With a kink right here, both differences are alike: half of each side's slope. Second differences tell.
        bends = 4 * (higher + lower - 2 * middle) / h - (high + low - 2 * middle) / h
        doubt = np.maximum(np.abs(best - narrow), np.abs(bends))
        if np.isfinite(best).all() and doubt.max(initial=0.0) <= 1e-4 * max(1e-12, np.abs(best).max(initial=0.0)):
            columns[row], uncertain[row] = best, 1e-4 * doubt.max(initial=0.0)
            continue
        if 2.0**-40 < np.abs(bends).max(initial=0.0) * h / size < 2.0**-18:  # far too little for a kink
            coarse[row] = True
            columns[row], uncertain[row] = wide, 2.0**-18 * size / h
            continue
        tiny = TINY * max(1.0, abs(at))
        right, left = (moved(tiny) - middle) / tiny, (middle - moved(-tiny)) / tiny
        columns[row] = (right + left) / 2
        scale = np.abs(columns[row]).max(initial=0.0)
        uncertain[row] = 1e-4 * scale
        jump = np.abs(right - left).max(initial=0.0)
        kink[row] = not np.isfinite(columns[row]).all() or jump > 1e-3 * max(scale, 1e-12)
    if coarse.any():  # some elements are smooth by luck
        uncertain = np.maximum(uncertain, 2.0**-18 * size / STEP)
    return Slopes(columns, uncertain, kink, coarse)
