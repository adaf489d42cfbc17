"""Writing to a tensor's memory without losing its gradient.

An in-place operation does two things: it changes memory, which may belong to several tensors at once, and it
changes what the tensor *is* in the graph. The first is counted (``Version``), so that a backward pass which kept
the old values notices. The second is done here, in the way PyTorch does it:

- a tensor that owns its memory simply continues as the operation's result;
- writing to a **view** changes its base and every other view of it: ``views.py`` has the math.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import can_cast
from ndl.autograd.grad_mode import state
from ndl.autograd.graph import Node
from ndl.autograd.tensor import Tensor


def check_writable(t: Tensor) -> None:
    """Raise RuntimeError where PyTorch forbids an in-place operation."""
    if state.enabled:
        if t._requires_grad and t._node is None:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation: its gradient would be "
                "lost. Work under ndl.no_grad(), on .data, or on the result of an operation such as .clone()."
            )
        if t._base is not None and t._base._requires_grad and t._base._node is None:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place operation: the leaf's "
                "gradient would be lost. Work under ndl.no_grad(), on .data, or on a .clone()."
            )
    if t._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    if not t._array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location (it was expanded), or its memory is read-only. Please clone() the tensor before performing "
            "the operation."
        )


def assign(t: Tensor, result: Any) -> Tensor:
    """``t`` becomes ``result``: values into its memory, history into its place in the graph."""
    check_writable(t)
    values = result._array if isinstance(result, Tensor) else np.asarray(result)
    if values.shape != t._array.shape:
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape {list(values.shape)}: an in-place "
            "operation cannot grow its tensor; use the operation that makes a new one"
        )
    if values.dtype != t._array.dtype and not can_cast(values.dtype, t._array.dtype):
        raise RuntimeError(
            f"result type {values.dtype} can't be cast to the desired output type {t._array.dtype}: convert the "
            "tensor first, for example with .float()"
        )
    np.copyto(t._array, values, casting="unsafe")
    t._version.n += 1
    if isinstance(result, Tensor):
        take_history(t, result._edge())
    return t


def take_history(t: Tensor, edge: tuple | None) -> None:
    """After its memory was written, ``t`` stands in the graph where ``edge`` stands (None: nothing recorded)."""
    if t._base is None:
        if edge is not None and isinstance(edge[0], Node):
            _move(t, edge)
        elif edge is not None:  # the result of an operation that handed a leaf through unchanged
            raise RuntimeError("an in-place operation cannot turn a tensor into a leaf; clone the value first")
        return
    if edge is None:
        return
    from ndl.autograd.views import copy_slices

    _move(t._base, (copy_slices(t, t._base, edge), 0))


def _move(t: Tensor, edge: tuple) -> None:
    """Continue as output ``nr`` of ``node``; a retained gradient is from now on the new value's."""
    old, old_nr = t._node, t._nr
    t._node, t._nr = edge
    if t._retains_grad and old is not None and old.retaining:
        reference = old.retaining.pop(old_nr, None)
        if reference is not None:
            t._node.retaining = {**(t._node.retaining or {}), t._nr: reference}  # type: ignore[union-attr]
