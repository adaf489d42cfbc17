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

import contextvars
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad, state
from ndl.autograd.graph import NOTHING, Node
from ndl.autograd.inplace import check_view, check_writable, take_history
from ndl.autograd.tensor import Tensor

# inf and nan are results, as in PyTorch, so NumPy's warnings are off in every forward pass. Running in a context
# made once costs nothing measurable, where a fresh ``np.errstate`` costs more than a small operation.
QUIET = contextvars.copy_context()
QUIET.run(np.seterr, all="ignore")


class Function:
    """Base class of differentiable operations, as ``torch.autograd.Function``.

    Subclasses define static methods ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)``, or
    ``forward(*args)`` with ``setup_context(ctx, inputs, output)``, and are called with ``MyFunction.apply(*args)``.
    ``backward`` returns one gradient for each argument of ``forward``, None for those that have none.
    """

    takes_arrays = False
    node_suffix = "Backward"
    view = True  # a user's forward may return a view of an input, or the input itself

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RuntimeError: PyTorch 1.3 and older called an object of the class."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is not supported: make forward(ctx, ...) and "
            f"backward(ctx, ...) static methods and call {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Keep what ``backward`` needs, where ``forward`` has no ``ctx``."""

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError("this Function has no static method backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` and record the call if an argument requires gradients."""
        edges = tuple([a._edge() if isinstance(a, Tensor) else None for a in args])
        recorded = state.enabled and not state.inference and any(e is not None for e in edges)
        ctx = Node(cls, edges)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        outputs = result if isinstance(result, tuple) else (result,)
        if any(isinstance(y, list) and any(isinstance(t, Tensor) for t in y) for y in outputs):
            raise TypeError(f"{cls.__name__}.forward returned Tensors in a list, without gradients: return a tuple")
        arrays = [y._array if isinstance(y, Tensor) else None for y in outputs]
        ctx._to_save = tuple([_array_of(v) for v in ctx._to_save])
        ctx._dirty = tuple([_array_of(v) for v in ctx._dirty])
        ctx._non_differentiable = tuple([_array_of(v) for v in ctx._non_differentiable])
        for a in args:
            if recorded and isinstance(a, Tensor) and any(a._array is d for d in ctx._dirty):
                check_writable(a)
        made = _finish(cls, ctx if recorded else None, args, arrays, ctx._dirty, type(result) is tuple)
        made = tuple([y if t is None else t for t, y in zip(made, outputs)])  # what is no Tensor passes through
        return made if isinstance(result, tuple) else made[0]


class ArrayFunction(Function):
    """A Function on plain arrays; see the module's text for its contract.

    ``view = True`` says that ``forward`` may return a view of a tensor's memory; ``in_place = True`` that it
    writes to its first argument's memory and returns that very array.
    """

    takes_arrays = True
    node_suffix = "Backward0"
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
        if tracked and state.enabled and not state.inference:
            edges = tuple([a._edge() if isinstance(a, Tensor) else None for a in args])
            for e in edges:
                if e is not None:
                    ctx = Node(cls, edges)
                    break
        if cls.in_place and ctx is not None and args[0]._base is not None:
            check_view(args[0], "it is being modified in place")
        result = QUIET.copy().run(cls.forward, NOTHING if ctx is None else ctx, *arrays)
        if type(result) is np.ndarray and not cls.view and not cls.in_place:
            if ctx is None:  # the common cases, kept short: one new array
                for a in arrays:
                    if a is result:
                        raise AssertionError(
                            f"{cls.__name__}.forward returned its input; copy it, or set view or in_place"
                        )
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
        made = _finish(cls, ctx, args, [np.asarray(r) for r in results], dirty, type(result) is tuple)
        return made if isinstance(result, tuple) else made[0]


def _array_of(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _finish(cls: Any, ctx: Node | None, args: tuple, arrays: list, dirty: tuple, several: bool) -> tuple:
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
        differentiable = ctx is not None and y.dtype.kind == "f" and not any(y is n for n in ctx._non_differentiable)
        written = next((t for t in inputs if t._array is y and any(y is d for d in dirty)), None)
        if written is not None:
            written._version.n += 1
            in_place.append((written, nr))
            made.append(written)
            continue
        t = Tensor._wrap(y, ctx if differentiable else None, nr)
        source = next((s for s in inputs if s._array is y or (cls.view and _shares(s, y))), None)
        if source is not None:
            t._base = source if source._base is None else source._base
            t._base._shared = True
            t._version = source._version
            t._view_version = source._version.n
            t._inference = source._inference
            t._view_origin = _view_origin(cls, source, several)
        made.append(t)
    if ctx is not None:
        ctx.outputs = tuple([None if y is None else (y.shape, y.dtype) for y in arrays])
        _record_saved(ctx, args, tuple(made))
        for t, nr in in_place:
            take_history(t, (ctx, nr))
    return tuple(made)


def _view_origin(cls: Any, source: Tensor, several: bool) -> str | None:
    """Why a new view must not be written to in place, if so (see ``inplace.check_view``)."""
    if state.inference:
        return "inference"
    if not state.enabled:
        return "no_grad"
    if not cls.takes_arrays:
        return "function"
    return "several" if several else source._view_origin


def _shares(source: Tensor, y: np.ndarray) -> bool:
    if not y.size:  # no memory to share; NumPy still remembers where it came from
        return y.base is not None and (y.base is source._array or y.base is source._array.base)
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
        if owner is None:  # an intermediate value, or an argument that is a constant
            constant = next((i for i, a in enumerate(args) if a is value), None)
            saved.append((value, constant, None, 0))
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
