"""Anomaly detection: which function's backward made the first nan, and on which line its forward was called.

A nan in the gradients spreads to every weight, and at the end it cannot be seen where it began. While detection is on,
every recorded call remembers the line of the program that made it, and every backward looks through its results.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGE = str(Path(__file__).resolve().parent.parent)


class _Mode:
    """One for the process, as in PyTorch."""

    enabled = False
    check_nan = True


mode = _Mode()


class set_detect_anomaly:
    """Switch detection on or off from here on, or for a ``with`` block. ``check_nan=False`` only remembers lines."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _switch(*self._before)


class detect_anomaly:
    """``with detect_anomaly(): …`` raises RuntimeError where a backward makes a nan, and names the forward's line.

    Both the forward and the backward pass must run inside. It is slow, and says so with a warning.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        _switch(True, self._check_nan)

    def __exit__(self, *exc: object) -> None:
        _switch(*self._before)


def is_anomaly_enabled() -> bool:
    """Whether detection is on."""
    return mode.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether it looks for nan."""
    return mode.check_nan


def _switch(enabled: bool, check_nan: bool) -> None:
    mode.enabled, mode.check_nan = bool(enabled), bool(check_nan)


def calling_line() -> str:
    """The innermost line outside this package that is being run."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "a line inside ndl"
    return f"line {frame.f_lineno} of {frame.f_code.co_filename}, in {frame.f_code.co_name}"


def check(node: Any, results: Any) -> None:
    """Raise RuntimeError if one of a node's gradients has a nan."""
    if not mode.check_nan:
        return
    for i, g in enumerate(results):
        array = getattr(g, "_array", g)
        if array is not None and np.isnan(array).any():
            made = getattr(node, "made_at", None) or "a line that was run before detection was switched on"
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output. Its forward was called by {made}."
            )
