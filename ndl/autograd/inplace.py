"""Writing to a tensor's memory without losing its gradient.

An in-place operation does two things: it changes memory, which may belong to several tensors at once, and it
changes what the tensor *is* in the graph. The first is counted (``Version``), so that a backward pass which kept
the old values notices. The second is done here, in the way PyTorch does it:

- a tensor that owns its memory simply continues as the operation's result;
- writing to a **view** changes its base and every other view of it: ``views.py`` has the math.

The operation itself was computed out of place and then written over its tensor. If its backward needs the
tensor's old values, a copy of them is kept; if it needs the result, the tensor's own memory is what it keeps.
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
    if state.enabled and not state.inference:
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
        if t._view_origin is not None and t._base is not None and t._base.requires_grad:
            check_view(t, "it is being modified in place")
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


FORBIDDEN_VIEWS = {
    "no_grad": "A view was created in no_grad mode, and {} with grad mode enabled. Make the view and write in place "
    "both inside the no_grad block (the write is not tracked), or both outside (it is).",
    "inference": "A view was created in inference mode, and {} in normal mode. Make the view and write in place both "
    "inside inference mode, or both outside.",
    "function": "This view was created inside a custom Function (or an input was returned as it is), and {}. That "
    "would override the Function's own backward: return a .clone() from the Function.",
    "several": "This view is the output of a function that returns multiple views, and {}. Such functions do not "
    "allow that: index the tensor for a single view, or use the operation that makes a new tensor.",
}


def check_view(view: Tensor, event: str) -> None:
    """Raise RuntimeError if the history of a view cannot follow its memory, because of where it was made."""
    if view._view_origin is not None:
        raise RuntimeError(FORBIDDEN_VIEWS[view._view_origin].format(event))


def assign(t: Tensor, result: Any, since: int | None = None) -> Tensor:
    """``t`` becomes ``result``: values into its memory, history into its place in the graph.

    ``since`` is the number (``graph.next_number``) from before the operation; by default, only the last call
    of a Function is taken for the operation.
    """
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
    edge = result._edge() if isinstance(result, Tensor) else None
    if edge is not None and t._base is not None:
        check_view(t, "it is being modified in place")
    nodes = _nodes_since(edge[0], since) if edge is not None and isinstance(edge[0], Node) else []
    for node in nodes:
        _keep_old_values(node, t)
    t._array[...] = values
    t._version.n += 1
    for node in nodes:
        _share_result(node, values, t)
    take_history(t, edge)
    return t


def _nodes_since(node: Node, number: int | None) -> list[Node]:
    """The nodes that one operation made: from its result back to those that were there before."""
    if number is None:
        return [node]
    found: list[Node] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if node.number > number and node not in found:
            found.append(node)
            stack.extend(e[0] for e in node.edges if e is not None and isinstance(e[0], Node))
    return found


def _keep_old_values(node: Node, t: Tensor) -> None:
    """Where backward needs the values that are about to be overwritten, keep a copy."""
    if any(value is t._array for value, *_ in node._saved):
        old = t._array.copy()
        node._saved = tuple([(old, s[1], None, 0) if s[0] is t._array else s for s in node._saved])


def _share_result(node: Node, values: np.ndarray, t: Tensor) -> None:
    """Where backward needs the result, which now also is in ``t``, keep that one, watched by its version."""
    if values.dtype == t._array.dtype and any(value is values for value, *_ in node._saved):
        entry = t._version, t._version.n
        node._saved = tuple([(t._array, s[1], *entry) if s[0] is values else s for s in node._saved])


def take_history(t: Tensor, edge: tuple | None) -> None:
    """After its memory was written, ``t`` stands in the graph where ``edge`` stands (None: at a constant)."""
    if edge is None:
        owner = t if t._base is None else t._base
        if not (state.enabled and not state.inference and owner.requires_grad):
            return
    from ndl.autograd.views import copy_slices, overwrite

    if t._base is not None:
        _move(t._base, (copy_slices(t, t._base, edge), 0))
    elif edge is None:
        _move(t, (overwrite(t), 0))
    elif isinstance(edge[0], Node):
        _move(t, edge)
    else:  # the result of an operation that handed a leaf through unchanged
        raise RuntimeError("an in-place operation cannot turn a tensor into a leaf; clone the value first")


def _move(t: Tensor, edge: tuple) -> None:
    """Continue as output ``nr`` of ``node``; a retained gradient is from now on the new value's."""
    old, old_nr = t._node, t._nr
    t._node, t._nr = edge
    if t._retains_grad and old is not None and old.retaining:
        reference = old.retaining.pop(old_nr, None)
        if reference is not None:
            t._node.retaining = {**(t._node.retaining or {}), t._nr: reference}  # type: ignore[union-attr]
