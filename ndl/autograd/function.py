"""``Function``: an operation and its derivative, side by side.

There are two kinds, alike in everything but what flows through them:

- ``Function`` is for users, exactly as ``torch.autograd.Function``: ``forward`` and ``backward`` get Tensors.
- ``ArrayFunction`` is what this house is built of. ``forward`` gets NumPy arrays. So does ``backward`` in ordinary
  training; when the backward pass is itself recorded (``create_graph=True``) the same lines get Tensors, which
  answer operators, NumPy's functions and other Functions alike. Applied to plain arrays, it just computes.

The contract of an ArrayFunction, which makes its backward differentiable again without a second derivation:

- what ``backward`` differentiates through comes from ``ctx.saved_tensors``, and is an input or an output;
- only what ``backward`` will use is saved, and inputs or outputs as PyTorch chooses: a saved value must not be written
  in place later, so the choice decides which programs run;
- any other attribute of ``ctx`` is a constant: a mask, a shape, an index; arrays directly, not in containers;
- a value computed from inputs and kept to save time may be used only when ``ctx.recording`` is False;
- ``backward`` returns new arrays, views, or the ``dy`` it was given, never an array it keeps;
- the engine undoes broadcasting and converts types, so ``backward`` need not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad, state
from ndl.autograd.graph import NOTHING, Node
from ndl.autograd.inplace import check_writable, take_history
from ndl.autograd.tensor import Tensor


class Function:
    """Base class of differentiable operations, as ``torch.autograd.Function``.

    Subclasses define static methods ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)``, or
    ``forward(*args)`` with ``setup_context(ctx, inputs, output)``, and are called with ``MyFunction.apply(*args)``.
    ``backward`` returns one gradient for each argument of ``forward``, None for those that have none.
    """

    takes_arrays = False

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise TypeError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Keep what ``backward`` needs, where ``forward`` has no ``ctx``."""

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise TypeError("this Function has no backward: define a static method backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` and record the call if an argument requires gradients."""
        edges = tuple([a._edge() if isinstance(a, Tensor) else None for a in args])
        recorded = state.enabled and any(e is not None for e in edges)
        ctx = Node(cls, edges)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        outputs = result if isinstance(result, tuple) else (result,)
        arrays = []
        for y in outputs:
            if y is not None and not isinstance(y, Tensor):
                raise TypeError(f"{cls.__name__}.forward must return Tensors, but returned {type(y).__name__}")
            arrays.append(None if y is None else y._array)
        ctx._to_save = tuple([_array_of(v) for v in ctx._to_save])
        ctx._dirty = tuple([_array_of(v) for v in ctx._dirty])
        ctx._non_differentiable = tuple([_array_of(v) for v in ctx._non_differentiable])
        made = _finish(cls, ctx if recorded else None, args, arrays, ctx._dirty)
        return made if isinstance(result, tuple) else made[0]


class ArrayFunction(Function):
    """A Function on plain arrays; see the module's text for its contract.

    ``view = True`` says that ``forward`` may return a view of a tensor's memory; ``in_place = True`` that it
    writes to its first argument's memory and returns that very array.
    """

    takes_arrays = True
    view = False
    in_place = False

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` on the arrays of ``args`` and record the call if one of them requires gradients."""
        arrays = []
        some_tensor = tracked = False
        for a in args:
            if isinstance(a, Tensor):
                some_tensor = True
                arrays.append(a._array)
                if a._requires_grad or a._node is not None or a._base is not None:
                    tracked = True
            else:
                arrays.append(a)
        if not some_tensor:
            return cls.forward(NOTHING, *arrays)
        if cls.in_place:
            check_writable(args[0])
        ctx: Any = None
        if tracked and state.enabled:
            edges = tuple([a._edge() if isinstance(a, Tensor) else None for a in args])
            for e in edges:
                if e is not None:
                    ctx = Node(cls, edges)
                    break
        result = cls.forward(NOTHING if ctx is None else ctx, *arrays)
        if type(result) is np.ndarray and not cls.view and not cls.in_place:
            if ctx is None:  # the common cases, kept short: one new array
                for a in arrays:
                    if a is result:
                        raise AssertionError(f"{cls.__name__}.forward returned its input; copy it, or set view or in_place")
                return Tensor._wrap(result)
            y = Tensor._wrap(result, ctx, 0)
            ctx.outputs = ((result.shape, result.dtype),)
            if ctx._to_save:
                _record_saved(ctx, args, (y,))
            if result.dtype.kind != "f":
                y._node = None
            return y
        results = result if isinstance(result, tuple) else (result,)
        dirty = (args[0]._array,) if cls.in_place else ()
        made = _finish(cls, ctx, args, [np.asarray(r) for r in results], dirty)
        return made if isinstance(result, tuple) else made[0]


def _array_of(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _finish(cls: Any, ctx: Node | None, args: tuple, arrays: list, dirty: tuple) -> tuple:
    """Tensors for the arrays that ``forward`` made, in the graph if ``ctx`` is given.

    An output may be new memory, an input written in place (then it is that very input), or a view of an input.
    """
    inputs = [a for a in args if isinstance(a, Tensor)]
    made: list = []
    in_place = []
    for nr, y in enumerate(arrays):
        if y is None:
            made.append(None)
            continue
        differentiable = (
            ctx is not None and y.dtype.kind in "fc" and not any(y is n for n in ctx._non_differentiable)
        )
        written = next((t for t in inputs if t._array is y and any(y is d for d in dirty)), None)
        if written is not None:
            written._version.n += 1
            in_place.append((written, nr))
            made.append(written)
            continue
        t = Tensor._wrap(y, ctx if differentiable else None, nr)
        source = next((s for s in inputs if s._array is y or ((cls.view or not cls.takes_arrays) and _shares(s, y))), None)
        if source is not None:
            t._base = source if source._base is None else source._base
            t._version = source._version
            t._view_version = source._version.n
            t._inference = source._inference
        made.append(t)
    if ctx is not None:
        ctx.outputs = tuple([((), np.dtype(np.float32)) if y is None else (y.shape, y.dtype) for y in arrays])
        _record_saved(ctx, args, tuple(made))
        for t, nr in in_place:
            take_history(t, (ctx, nr))
    return tuple(made)


def _shares(source: Tensor, y: np.ndarray) -> bool:
    return y.base is not None and np.may_share_memory(source._array, y)


def _record_saved(ctx: Node, args: tuple, outputs: tuple) -> None:
    """Remember for each saved array which input or output it is, and the version it was saved at."""
    saved = []
    for value in ctx._to_save:
        origin: Any = None
        owner: Any = None
        if value is not None:
            for nr, y in enumerate(outputs):
                if y is not None and y._array is value:
                    origin, owner = -1 - nr, y
                    break
            else:
                for i, a in enumerate(args):
                    if isinstance(a, Tensor) and a._array is value:
                        origin, owner = i, a
                        break
        if owner is None:
            saved.append((value, None, None, 0))
            continue
        if owner._inference:
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal "
                "tensor and use it in autograd."
            )
        saved.append((value, origin, owner._version, owner._version.n))
    ctx._saved = tuple(saved)
    ctx._to_save = ()


def once_differentiable(backward: Callable) -> Callable:
    """Decorator for a ``backward`` that cannot be differentiated again: doing so raises RuntimeError."""

    def once(ctx: Any, *grad_outputs: Any) -> Any:
        recording = state.enabled and any(isinstance(g, Tensor) and g.requires_grad for g in grad_outputs)
        with no_grad():
            result = backward(ctx, *grad_outputs)
        if not recording:
            return result
        results = result if isinstance(result, tuple) else (result,)
        tracked = [g for g in grad_outputs if isinstance(g, Tensor)]
        blocked = tuple([None if r is None else _NotAgain.apply(r, *tracked) for r in results])
        return blocked if isinstance(result, tuple) else blocked[0]

    return once


class _NotAgain(Function):
    @staticmethod
    def forward(ctx: Any, result: Tensor, *_: Tensor) -> Tensor:
        return Tensor._wrap(result._array.copy())

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable: its backward was "
            "written without a derivative of its own"
        )
