"""Hooks of a Module: functions that are called around its forward, its backward, and its state.

A backward hook is made of identities around the module's inputs and outputs, which see the gradients pass.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ndl.autograd.function import Function
from ndl.autograd.graph import RemovableHandle
from ndl.autograd.tensor import Tensor


class Hooks:
    """The part of Module that keeps hooks, by kind, and calls those around forward."""

    forward: Callable[..., Any]
    _hooks: dict[str, Any]

    def _hooks_of(self, kind: str) -> list[Callable]:
        return list(self._hooks[kind].values()) if kind in self._hooks else []

    def _register(self, kind: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks.setdefault(kind, OrderedDict())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; a result replaces the arguments."""
        return self._register("forward_pre", hook if with_kwargs else _without_kwargs(hook, 1), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; a result replaces the output.

        With ``always_call`` it is also called, with None as output, when forward or an earlier hook raised.
        """
        handle = self._register("forward", hook if with_kwargs else _without_kwargs(hook, 2), prepend)
        if always_call:
            self._hooks.setdefault("always_call", {})[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the module's backward; a result replaces grad_output."""
        return self._register("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after the module's backward; a result replaces grad_input."""
        return self._register("backward", hook, prepend)

    register_backward_hook = register_full_backward_hook

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects this module."""
        return self._register("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata)`` after ``state_dict`` collected this module."""
        return self._register("state_dict", hook)

    _register_state_dict_hook = register_state_dict_post_hook  # PyTorch's older name, which many programs use

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``
        before this module's values are looked up; the hook may change ``state_dict``, which is a copy.
        """
        return self._register("load_state_dict_pre", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        """The same for a hook that does not get the module first: PyTorch's older form."""
        return self.register_load_state_dict_pre_hook(hook if with_module else _without_module(hook))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after ``load_state_dict``."""
        return self._register("load_state_dict_post", hook)

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        for hook in self._hooks_of("forward_pre"):
            result = hook(self, args, kwargs)
            if result is not None:
                args, kwargs = result
        backward = None
        if self._hooks_of("backward") or self._hooks_of("backward_pre"):
            backward = BackwardHooks(self, self._hooks_of("backward_pre"), self._hooks_of("backward"))
            args = backward.watch_inputs(args)
        waiting = dict(self._hooks.get("forward", {}))
        try:
            output = self.forward(*args, **kwargs)
            for number, hook in list(waiting.items()):
                del waiting[number]
                result = hook(self, args, kwargs, output)
                if result is not None:
                    output = result
        except Exception:
            for number, hook in waiting.items():
                if number in self._hooks.get("always_call", {}):
                    hook(self, args, kwargs, None)
            raise
        return output if backward is None else backward.watch_outputs(output)


def _without_kwargs(hook: Callable, values: int) -> Callable:
    """A hook that does not ask for keyword arguments, called as one that does."""

    @functools.wraps(hook)
    def pre(module: Any, args: tuple, kwargs: dict) -> Any:
        result = hook(module, args)
        if result is None:
            return None
        return (result if isinstance(result, tuple) else (result,)), kwargs

    @functools.wraps(hook)
    def post(module: Any, args: tuple, kwargs: dict, output: Any) -> Any:
        return hook(module, args, output)

    return pre if values == 1 else post


def _without_module(hook: Callable) -> Callable:
    @functools.wraps(hook)
    def with_module(module: Any, *args: Any) -> Any:
        return hook(*args)

    return with_module


class _Pass(Function):
    """y = x for several tensors at once;  dx = what ``see`` makes of dy."""

    @staticmethod
    def forward(ctx: Any, see: Callable, *xs: Tensor) -> tuple:
        ctx.see = see
        return tuple([Tensor._wrap(x._array[...]) for x in xs])

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple:
        return None, *ctx.see(dys)


class BackwardHooks:
    """Watches one call of a module: grad_output as it comes in, grad_input as it leaves."""

    def __init__(self, module: Any, pre: list[Callable], post: list[Callable]) -> None:
        self.module, self.pre, self.post = module, pre, post
        self.grad_output: tuple = ()
        self.inputs = 0
        self.positions: list[int] = []

    def watch_inputs(self, args: tuple) -> tuple:
        """The arguments, with the tensors among them passed through an identity."""
        self.inputs = len(args)
        self.positions = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        if not self.positions:
            return args
        watched = _Pass.apply(self._leaving, *[args[i] for i in self.positions])
        new = list(args)
        for i, t in zip(self.positions, watched, strict=True):
            new[i] = t
        return tuple(new)

    def watch_outputs(self, output: Any) -> Any:
        """The output, with the tensors in it passed through an identity."""
        outputs = output if isinstance(output, tuple) else (output,)
        places = [i for i, y in enumerate(outputs) if isinstance(y, Tensor) and y.requires_grad]
        if not places:
            return output
        watched = _Pass.apply(self._entering, *[outputs[i] for i in places])
        new = list(outputs)
        for i, t in zip(places, watched, strict=True):
            new[i] = t
        return tuple(new) if isinstance(output, tuple) else new[0]

    def _entering(self, dys: tuple) -> tuple:
        self.grad_output = dys
        for hook in self.pre:
            result = hook(self.module, self.grad_output)
            if result is not None:
                self.grad_output = result if isinstance(result, tuple) else (result,)
        if not self.positions:
            self._call_post(tuple([None] * self.inputs))
        return self.grad_output

    def _leaving(self, dxs: tuple) -> tuple:
        grad_input: list = [None] * self.inputs
        for i, dx in zip(self.positions, dxs, strict=True):
            grad_input[i] = dx
        result = self._call_post(tuple(grad_input))
        return tuple([result[i] for i in self.positions])

    def _call_post(self, grad_input: tuple) -> tuple:
        for hook in self.post:
            result = hook(self.module, grad_input, self.grad_output)
            if result is not None:
                grad_input = result if isinstance(result, tuple) else (result,)
        return grad_input
