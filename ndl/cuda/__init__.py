"""``ndl.cuda``: there is none, and it says so to programs that ask."""

from ndl.cuda import amp
from ndl.cuda.devices import (
    current_device,
    device_count,
    empty_cache,
    get_device_name,
    is_available,
    is_bf16_supported,
    manual_seed,
    manual_seed_all,
    synchronize,
)

__all__ = [
    "amp",
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_name",
    "is_available",
    "is_bf16_supported",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]
