"""``same_everywhere(f)``: values and gradients are PyTorch's where formulas break: ±0, ±inf, nan, huge, tiny."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import ndl

ORDINARY = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 2.5, -1.5, 3.0, 7.0, 20.0, np.inf, -np.inf, np.nan]
EXTREME = [1e-30, -1e-30, 1e30, -1e30, 1e300, -1e300, 1e-300, 5e-324, 88.0, 89.0, 709.0, 710.0, -100.0, -745.0]


def run(T: Any, f: Callable, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """f's value and the gradients of its sum."""
    inputs = [T.from_numpy(x.copy()).requires_grad_() for x in arrays]
    y = f(T, *inputs)
    found = [y.detach().numpy()]
    if y.requires_grad:
        y.backward(T.from_numpy(np.ones(tuple(y.shape), found[0].dtype)))
        found += [(x.grad + 0).numpy() for x in inputs]  # PyTorch's lazy zeros have no array before the addition
    return found


def same_everywhere(f: Callable, operands: int = 1, dtypes: tuple = (np.float64, np.float32)) -> None:
    """Compare over all (pairs of) special values, in both precisions, and allow no warning."""
    values = np.array(ORDINARY + EXTREME if operands == 1 else ORDINARY)
    grid = [g.reshape(-1) for g in np.meshgrid(*[values] * operands)]
    for dtype in dtypes:
        with np.errstate(all="ignore"):
            arrays = [g.astype(dtype) for g in grid]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ours = run(ndl, f, arrays)
        theirs = run(torch, f, arrays)
        assert len(ours) == len(theirs), "one of the libraries has no gradient"
        digits = 1e-11 if dtype == np.float64 else 4e-6
        for name, a, b in zip(("value", "gradient of x", "gradient of y"), ours, theirs):
            assert a.dtype == b.dtype, f"{name}: ndl {a.dtype}, PyTorch {b.dtype}"
            a, b = a.astype(np.float64), b.astype(np.float64)
            with np.errstate(all="ignore"):
                close = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= digits * np.maximum(np.abs(b), 1))
            at = [tuple(float(x[i]) for x in arrays) for i in np.flatnonzero(~close)]
            assert close.all(), f"{name} in {dtype.__name__} at {at}:\nndl {a[~close]}\nPyTorch {b[~close]}"
