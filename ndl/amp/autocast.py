"""``autocast``: a context in which PyTorch computes some operations in 16 bits. Here it must be off."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available", "is_autocast_enabled"]


def is_autocast_available(device_type: str) -> bool:
    """False: there are no 16-bit kernels."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False, inside and outside of ``autocast``."""
    return False


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Callable:
    """Decorator of a Function's ``forward``: the function itself, since autocast is never on."""
    return fwd if fwd is not None else lambda function: function


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """Decorator of a Function's ``backward``: the function itself, since autocast is never on."""
    return bwd if bwd is not None else lambda function: function


class autocast:
    """``with autocast("cpu", enabled=False): …`` or a decorator; it changes nothing.

    For other devices it is off with a warning, as in PyTorch where the device is missing. Enabled on the CPU it would
    have to compute in bfloat16, which NumPy does not have: RuntimeError.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if enabled and device_type == "cpu":
            raise RuntimeError(
                "autocast on the CPU is not here: it computes in bfloat16, which NumPy does not have. Leave it out, or "
                "give enabled=False: everything is then computed in the tensors' own type"
            )
        if enabled:
            warnings.warn(
                f"User provided device_type of '{device_type}', but it is not available. Disabling autocast.",
                stacklevel=2,
            )
        self.device = device_type
        self.fast_dtype = dtype
        self._enabled = False

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def unchanged(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return unchanged
