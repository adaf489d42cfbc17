"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``.

The state belongs to a thread, as in PyTorch. Each switch is a context manager and a decorator.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _State(threading.local):
    enabled = True
    inference = False


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are being recorded in this thread."""
    return state.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return state.inference


class _Switch:
    """Sets the state on entering, restores it on leaving; wraps functions and generators as a decorator."""

    _set: Callable[[], None]

    def _again(self) -> _Switch:
        return type(self)()

    def __enter__(self) -> None:
        self._before = (state.enabled, state.inference)
        self._set()

    def __exit__(self, *exc: object) -> None:
        state.enabled, state.inference = self._before

    def __call__(self, f: Callable) -> Any:
        if inspect.isclass(f):
            f.__init__ = self(f.__init__)  # type: ignore[method-assign]
            return f
        if inspect.isgeneratorfunction(f):
            # Between two yields the caller's state must hold again, so each step is switched on its own.
            @functools.wraps(f)
            def generator(*args: Any, **kwargs: Any) -> Any:
                steps = f(*args, **kwargs)
                step, value = steps.send, None
                while True:
                    try:
                        with self._again():
                            item = step(value)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        step, value = steps.send, (yield item)
                    except GeneratorExit:
                        with self._again():
                            steps.close()
                        raise
                    except BaseException as error:
                        step, value = steps.throw, error

            return generator

        @functools.wraps(f)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return f(*args, **kwargs)

        return switched


class no_grad(_Switch):
    """Results of operations inside do not require gradients. Context manager and decorator."""

    def __new__(cls, orig_func: Callable | None = None) -> Any:
        made = super().__new__(cls)
        return made if orig_func is None else made(orig_func)  # @no_grad without parentheses

    def _set(self) -> None:
        state.enabled = False


class enable_grad(no_grad):
    """Operations inside are recorded, even within ``no_grad``. Context manager and decorator."""

    def _set(self) -> None:
        state.enabled = True


class set_grad_enabled(_Switch):
    """Switch recording on or off: a plain call acts at once, ``with`` acts until the end of the block."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = (state.enabled, state.inference)
        state.enabled = self.mode

    def __enter__(self) -> None:
        state.enabled = self.mode

    def __call__(self, f: Callable) -> Any:
        state.enabled, state.inference = self._before  # a decorator acts when the function runs, not now
        return super().__call__(f)

    def _again(self) -> _Switch:
        return set_grad_enabled(self.mode)

    def _set(self) -> None:
        state.enabled = self.mode


class inference_mode(_Switch):
    """As ``no_grad``, and tensors made inside can never be part of a recorded operation later.

    ``mode=False`` leaves inference mode for a block.
    """

    mode: bool

    def __new__(cls, mode: bool | Callable = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)  # @inference_mode without parentheses
        made.mode = bool(mode)
        return made

    def _again(self) -> _Switch:
        return inference_mode(self.mode)

    def _set(self) -> None:
        state.inference = self.mode
        state.enabled = not self.mode
