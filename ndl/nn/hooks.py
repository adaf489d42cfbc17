"""Backward hooks of a Module: identities around its inputs and outputs that see the gradients pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ndl.autograd.function import Function
from ndl.autograd.tensor import Tensor


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
