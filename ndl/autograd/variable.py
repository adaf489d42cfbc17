"""``Variable``: what a tensor with a gradient was called before PyTorch 0.4. It is a Tensor."""

from __future__ import annotations

from typing import Any

from ndl.autograd.tensor import Tensor

__all__ = ["Variable"]


class _AnyTensor(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_AnyTensor):
    """``Variable(data, requires_grad=False)``: a new leaf that shares the memory of ``data``.

    Every Tensor is an instance of it, so that old programs' ``isinstance(x, Variable)`` is true.
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}; use ndl.tensor(data)")
        return data.detach().requires_grad_(requires_grad)
