"""Changing all of a module at once: types, modes, gradients, and any function of its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.tensor import Tensor
from ndl.nn.parameter import UninitializedTensor
from ndl.nn.traversal import Traversal
from ndl.ops.creation import empty_like

if TYPE_CHECKING:
    from ndl.nn.module import Module

M = TypeVar("M", bound="Conversion")


class Conversion(Traversal):
    """The part of Module that changes everything below it."""

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` on every module below and then on this one: how weights are initialised by kind."""
        for m in self.children():
            m.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Replace the values of all parameters, gradients and buffers by ``fn`` of them."""
        seen: set[int] = set()
        modules: Any = self.modules() if recurse else [self]
        for m in modules:
            for p in m._parameters.values():
                if p is None or id(p) in seen:
                    continue
                seen.add(id(p))
                if isinstance(p, UninitializedTensor):
                    p.convert(fn)
                else:
                    p._array = fn(p.detach())._array
                    if p._grad is not None:
                        p._grad = fn(p._grad.detach())
            for name, b in m._buffers.items():
                if isinstance(b, UninitializedTensor):
                    b.convert(fn)
                elif b is not None:
                    m._buffers[name] = fn(b)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """``module.to(dtype)`` converts floating parameters and buffers in place; a device is checked to be the CPU."""
        target = Tensor().to(*args, **kwargs)
        named = [a for a in (*args, kwargs.get("dtype")) if a is not None]
        wants_type = any(isinstance(a, Tensor) or _is_dtype(a) for a in named)
        if not wants_type:
            return self
        if not target.is_floating_point():
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={target.dtype}")
        return self._apply(lambda t: t.to(target.dtype) if t.is_floating_point() else t)

    def type(self: M, dst_type: Any) -> M:
        """All parameters and buffers in another type."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self: M) -> M:
        """Floating parameters and buffers as float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self: M) -> M:
        """Floating parameters and buffers as float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self: M) -> M:
        """Floating parameters and buffers as float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self: M) -> M:
        """Raises TypeError if there is anything to convert: NumPy has no bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self: M) -> M:
        """The module itself: it is on the CPU."""
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Raises RuntimeError if there is anything to move: ndl computes on the CPU."""
        return self._apply(lambda t: t.cuda())

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """New memory for all parameters and buffers, its values not set; ``recurse=False`` leaves out modules below."""
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def train(self: M, mode: bool = True) -> M:
        """Training mode for this module and all below: what Dropout and BatchNorm ask."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, but got {mode!r}")
        self.training = mode
        for m in self.children():
            m.train(mode)
        return self

    def eval(self: M) -> M:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Ask for, or stop asking for, gradients of all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    def share_memory(self) -> None:
        """Raises RuntimeError: the memory of ndl's tensors belongs to one process."""
        raise RuntimeError(
            "ndl cannot share a module's memory between processes: give each process its own copy through state_dict()"
        )

    def compile(self: M, *args: Any, **kwargs: Any) -> M:
        """The module itself: there is no compiler, and nothing to change in a program that asks for one."""
        return self


def _is_dtype(value: Any) -> bool:
    if isinstance(value, (str, bool)):
        return False
    try:
        as_dtype(value)
    except TypeError:
        return False
    return True
