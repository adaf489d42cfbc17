"""``ndl.cuda``: there is none, and it says so to programs that ask."""

from ndl.cuda import amp
from ndl.cuda.devices import (
    current_device,
    device_count,
    empty_cache,
    get_device_name,
    get_rng_state_all,
    is_available,
    is_bf16_supported,
    is_initialized,
    manual_seed,
    manual_seed_all,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    set_rng_state_all,
    synchronize,
)

__all__ = [
    "amp",
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_name",
    "get_rng_state_all",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "set_rng_state_all",
    "synchronize",
]
