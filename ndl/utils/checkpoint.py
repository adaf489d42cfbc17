"""Gradient checkpointing, which changes memory and not numbers: here the function is called as it is.

PyTorch forgets what the function computed inside and computes it again in the backward pass. ndl keeps it: the same
outputs, gradients and random numbers, in the memory that the function takes without a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Any = None,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``; the options say how PyTorch computes it again, and are taken and not used."""
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable], segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """The functions, or a Sequential's Modules, one after the other; ``segments`` says where PyTorch would cut."""
    for function in functions:
        input = function(input)
    return input
