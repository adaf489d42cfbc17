"""The older names of ``ndl.amp``: ``cuda.amp.autocast()`` is ``autocast("cuda")``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ndl.amp.autocast import autocast as _autocast
from ndl.amp.grad_scaler import GradScaler as _GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(_autocast):
    """``autocast("cuda", …)``: does nothing, since there is no CUDA device."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(_GradScaler):
    """``GradScaler("cuda", …)``: passes everything on, since there is no CUDA device."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Callable | None = None, *, cast_inputs: Any = None) -> Callable:
    """``amp.custom_fwd(…, device_type="cuda")``: the function itself."""
    return fwd if fwd is not None else lambda function: function


def custom_bwd(bwd: Callable) -> Callable:
    """``amp.custom_bwd(…, device_type="cuda")``: the function itself."""
    return bwd
