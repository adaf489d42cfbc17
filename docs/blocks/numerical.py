"""Derivatives by central differences: what the pages of the book check their formulas against."""

from collections.abc import Callable
from typing import Any

import numpy as np


def derivative(f: Callable[[np.ndarray], Any], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """∂f/∂x, of shape f(x).shape + x.shape: every element x_k is moved by ±h, and nothing else is known of f.

    ∂f/∂x_k ≈ (f(x + h e_k) − f(x − h e_k)) / 2h, with an error of the order h².
    """
    columns = []
    for k in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[k] = h
        columns.append((f(x + step) - f(x - step)) / (2 * h))
    return np.stack(columns, axis=-1).reshape((*np.shape(f(x)), *x.shape))
