"""``Parameter``: a tensor that a Module finds by itself when it is assigned as an attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor


class Parameter(Tensor):
    """A leaf that requires gradients by default and belongs to the Module it is assigned to."""

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter data must be a Tensor, but got {type(data).__name__}; wrap it in ndl.tensor(…)")
        made = cls._wrap(data._array)
        if requires_grad:
            made.requires_grad_()
        return made

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """Everything is done in ``__new__``."""

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that belongs to a Module's state but is not trained; ``persistent=False`` keeps it out of files."""

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        made = cls._wrap(np.empty((0,), np.float32) if data is None else data._array)
        made.persistent = persistent
        return made

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        """Everything is done in ``__new__``."""
