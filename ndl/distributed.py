"""``torch.distributed`` where there is one process: it says that there is none, and its functions say what to do.

A program that asks first (``if dist.is_available() and dist.is_initialized()``), or starts its process group only when
it was launched several times, runs as it is.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "all_gather",
    "all_reduce",
    "barrier",
    "broadcast",
    "destroy_process_group",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "reduce",
]


def is_available() -> bool:
    """False."""
    return False


is_initialized = is_nccl_available = is_gloo_available = is_mpi_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: ndl computes in one process."""
    raise RuntimeError(
        "distributed.init_process_group is not here: ndl computes in one process, on the CPU. Start the script itself, "
        "without torchrun"
    )


def get_rank(group: Any = None) -> NoReturn:
    """Raises ValueError, as PyTorch without a process group: ask ``is_initialized()`` first."""
    raise ValueError(
        "Default process group has not been initialized: ndl computes in one process. Ask "
        "distributed.is_initialized() first; alone, a process has rank 0 in a world of size 1"
    )


def all_reduce(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises ValueError, as PyTorch without a process group."""
    get_rank()


all_gather = barrier = broadcast = destroy_process_group = get_world_size = reduce = all_reduce
