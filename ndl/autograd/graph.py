"""The graph: one ``Node`` for each recorded call of a Function.

A node is ``ctx`` inside ``forward`` and ``backward`` and ``grad_fn`` outside. Its edges lead to where the
gradients of its inputs go: to the node that made the input, or to the leaf tensor itself. Every node is
numbered when it is made, so an edge always leads to a smaller number: "newest first" is a topological order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.anomaly import calling_line
from ndl.autograd.anomaly import mode as anomaly

_numbers = itertools.count()


def next_number() -> int:
    """A number above those of all nodes so far, and below those of all nodes to come."""
    return next(_numbers)


RELEASED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)


class Version:
    """How often a piece of memory was written in place; shared by all tensors that look at it."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0


class Node:
    """One recorded call: the Function, where its gradients go, and what its backward needs.

    Attributes
        edges: one entry for each argument of ``apply``: None, or (node or leaf tensor, output number).
        outputs: (shape, dtype) of each output, to check gradients and to fill in missing ones with zeros; None
            for an output that is no tensor.
        needs_input_grad: one bool for each argument of ``apply``.
        recording: True while a differentiable backward (``create_graph=True``) runs through this node.
        owns_grad: True if nobody else can see the gradient of output 0: backward may write to it and return it.

    Any other attribute set on it in ``forward`` is a constant for ``backward``.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_materialize",
        "_non_differentiable",
        "_dirty",
        "_saved",
        "_to_save",
        "edges",
        "function",
        "needs_input_grad",
        "number",
        "outputs",
        "owns_grad",
        "posthooks",
        "prehooks",
        "recording",
        "released",
        "retaining",
        "tensor_hooks",
    )

    def __init__(self, function: type, edges: tuple) -> None:
        self.function = function
        self.edges = edges
        self.number = next(_numbers)
        self.needs_input_grad = tuple([e is not None for e in edges])
        self.outputs: tuple = ()
        self.recording = False
        self.owns_grad = False
        self.released = False
        self._to_save: tuple = ()
        self._saved: tuple = ()
        self._non_differentiable: tuple = ()
        self._dirty: tuple = ()
        self._materialize = True
        self.tensor_hooks: dict[int, dict] | None = None
        self.retaining: dict | None = None
        self.prehooks: dict | None = None
        self.posthooks: dict | None = None
        if anomaly.enabled:
            self.made_at = calling_line()

    # -- what forward says ---------------------------------------------------------------------------------

    def save_for_backward(self, *values: Any) -> None:
        """Keep inputs, outputs or intermediate values; ``backward`` finds them in ``saved_tensors``."""
        self._to_save = values

    def mark_dirty(self, *values: Any) -> None:
        """Say that ``forward`` changed these inputs in place and returned them."""
        self._dirty = values

    def mark_non_differentiable(self, *values: Any) -> None:
        """Say that these outputs have no gradient."""
        self._non_differentiable = values

    def set_materialize_grads(self, value: bool) -> None:
        """``False``: ``backward`` gets None, not zeros, for outputs that nothing was computed from."""
        self._materialize = bool(value)

    # -- what backward reads -------------------------------------------------------------------------------

    @property
    def saved_tensors(self) -> tuple:
        """What ``save_for_backward`` kept, proven unchanged since.

        Arrays for the house's own Functions, Tensors for a user's Function and while ``recording``.
        Raises RuntimeError if the values were freed, or written in place after they were saved.
        """
        if self.released:
            raise RuntimeError(RELEASED)
        as_tensors = self.recording or not self.function.takes_arrays  # type: ignore[attr-defined]
        values = []
        for item in self._saved:
            value, origin, version, n = item
            if version is not None and version.n != n:
                what = f"[{value.dtype} {list(value.shape)}], a value that {self.name()} keeps for its gradient,"
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace "
                    f"operation: {what} is at version {version.n}; expected version {n} instead. Use the operation "
                    "that makes a new tensor, or change a .clone()."
                )
            values.append(self._as_tensor(value, origin) if as_tensors else value)
        return tuple(values)

    def _as_tensor(self, value: Any, origin: int | None) -> Any:
        """The saved value as a Tensor that stands where the original stood in the graph."""
        from ndl.autograd.tensor import Tensor

        if not isinstance(value, np.ndarray):
            return value
        if origin is None:
            if self.recording and value.dtype.kind == "f":
                raise RuntimeError(
                    f"{self.name()} saved an intermediate value, so its backward cannot be recorded "
                    "(create_graph=True). Save inputs and outputs only and compute the rest from them."
                )
            return Tensor._wrap(value)
        if origin < 0:  # output number -1 - origin of this very node
            return Tensor._wrap(value, self, -1 - origin)
        edge = self.edges[origin]
        if edge is None:
            return Tensor._wrap(value)
        target, nr = edge
        return Tensor._wrap(value, target, nr) if isinstance(target, Node) else target

    # -- what the outside sees -----------------------------------------------------------------------------

    def name(self) -> str:
        """The name PyTorch prints: ``MulBackward0``; a user's Function ``F`` gives ``FBackward``."""
        return self.function.__name__ + self.function.node_suffix  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple:
        """Where the gradients go: ((node, output number), …); a leaf appears as its ``AccumulateGrad``."""
        pairs: list[tuple[Any, int]] = []
        for edge in self.edges:
            if edge is None:
                pairs.append((None, 0))
            else:
                target, nr = edge
                pairs.append((target, nr) if isinstance(target, Node) else (AccumulateGrad(target), 0))
        return tuple(pairs)

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's backward; a result replaces grad_inputs."""
        if self.posthooks is None:
            self.posthooks = {}
        return RemovableHandle(self.posthooks, hook)

    def register_prehook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before this node's backward; a result replaces grad_outputs."""
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)

    def release(self) -> None:
        """Free the arrays kept for backward; edges and small constants stay, so the graph can still be walked."""
        if self._saved:
            self._saved = ()
            self.released = True
        self._to_save = ()
        if self.function.takes_arrays:  # type: ignore[attr-defined]
            for name in [k for k, v in self.__dict__.items() if isinstance(v, np.ndarray)]:
                del self.__dict__[name]
                self.released = True


class AccumulateGrad:
    """The end of an edge at a leaf: adds what arrives to ``variable.grad``."""

    __slots__ = ("variable",)
    next_functions: tuple = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


class RemovableHandle:
    """Returned by every ``register_…hook``: ``handle.remove()`` takes the hook away. Also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks: dict, hook: Callable) -> None:
        self.id = next(self._ids)
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Nothing:
    """Stands in for ``ctx`` when nothing is recorded: takes everything, keeps nothing."""

    __slots__ = ()
    needs_input_grad = (False,) * 64
    recording = False

    def save_for_backward(self, *values: Any) -> None:
        pass

    mark_dirty = mark_non_differentiable = save_for_backward

    def set_materialize_grads(self, value: bool) -> None:
        pass

    def __setattr__(self, name: str, value: Any) -> None:
        pass


NOTHING: Any = _Nothing()
