"""Python's ``multiprocessing`` under PyTorch's name, with ``spawn``. What is sent to another process is copied."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

from ndl.lazy import attach

__getattr__, __dir__, _names = attach(
    __name__,
    dict.fromkeys(multiprocessing.__all__, "multiprocessing"),  # type: ignore[attr-defined]
)
__all__ = [*_names, "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn"]


def spawn(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> Any:
    """Run ``fn(i, *args)`` in ``nprocs`` new processes, i = 0, 1, …, and wait for them; or return them, if not ``join``.

    Raises RuntimeError when one of them failed; it has printed why.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    if not join:
        return processes
    for process in processes:
        process.join()
    failed = [i for i, process in enumerate(processes) if process.exitcode]
    if failed:
        raise RuntimeError(f"process {failed[0]} terminated with exit code {processes[failed[0]].exitcode}")
    return None


def get_all_sharing_strategies() -> set[str]:
    """The two names PyTorch has on Linux for sharing a tensor's memory."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """PyTorch's default; here tensors are copied to another process."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Nothing: tensors are copied to another process. Raises AssertionError for a name PyTorch does not know."""
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"sharing strategy {new_strategy!r} is not one of {sorted(get_all_sharing_strategies())}")
