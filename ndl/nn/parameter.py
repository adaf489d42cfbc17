"""``Parameter``: a tensor that a Module finds by itself when it is assigned as an attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, as_numpy_dtype, default_numpy_dtype
from ndl.autograd.graph import Version
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

    def __deepcopy__(self, memo: dict) -> Any:
        """The values in new memory, and no gradient: the copy of a trained model starts without one."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self._requires_grad)
        return memo[id(self)]

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


class UninitializedTensor(Tensor):
    """A tensor whose shape is not known yet: it has a type and nothing else. Any use of its values raises ValueError.

    ``materialize(shape)`` gives it uninitialised memory and makes it what ``cls_to_become`` says.
    """

    cls_to_become: type[Tensor] = Tensor
    _type: np.dtype

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        made = object.__new__(cls)
        made._type = default_numpy_dtype() if dtype is None else as_numpy_dtype(dtype)
        made._requires_grad = requires_grad
        made._version = Version()
        return made

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        """Everything is done in ``__new__``."""

    @property
    def _array(self) -> np.ndarray:  # type: ignore[override]
        raise ValueError(
            f"Attempted to use an uninitialized parameter: {self!r}. This happens when a lazy module's parameters are "
            "used before their shapes are known. Call forward with a batch of the right shape first."
        )

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to "
            "initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> Any:
        return as_dtype(self._type)

    def is_floating_point(self) -> bool:
        return self._type.kind == "f"

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        self._requires_grad = bool(requires_grad)
        return self

    def convert(self, fn: Any) -> None:
        """Take the type that ``fn`` gives to a tensor of this one's."""
        self._type = fn(Tensor._wrap(np.empty(0, self._type)))._array.dtype

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a real parameter or buffer of this shape, with values that are not set."""
        values = np.empty(tuple(shape), self._type if dtype is None else as_numpy_dtype(dtype))
        del self._type
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.__dict__["_array"] = values

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self._requires_grad, None, self._type)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self._requires_grad, None, self._type)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensor, Parameter):
    """A parameter whose shape the first forward pass will tell; see ``UninitializedTensor``."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return UninitializedTensor.__new__(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensor):
    """A buffer whose shape the first forward pass will tell; see ``UninitializedTensor``."""
