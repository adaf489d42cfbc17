"""Making tensors: from data, from a rule, or like another tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.device import device as Device
from ndl.autograd.dtypes import as_numpy_dtype, canonical, default_numpy_dtype, scalar_dtype
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "is_tensor",
    "linspace",
    "logspace",
    "new_empty",
    "new_full",
    "new_ones",
    "new_tensor",
    "new_zeros",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def _leaf(array: np.ndarray, requires_grad: bool = False) -> Tensor:
    t = Tensor._wrap(array)
    return t.requires_grad_() if requires_grad else t


def _array_from(data: Any, dtype: Any) -> np.ndarray:
    """A new array of ``data`` in the type PyTorch would give it: arrays keep theirs, Python floats get the default."""
    want = None if dtype is None else as_numpy_dtype(dtype)
    if isinstance(data, Tensor):
        return np.array(data._array, want)
    if isinstance(data, (np.ndarray, np.generic)):
        a = canonical(np.array(data, want))
    else:
        if isinstance(data, (list, tuple)):
            data = _without_tensors(data)
        try:
            a = np.array(data, want)
        except ValueError as e:
            raise ValueError(
                f"expected nested sequences of equal lengths, but {e}; pad them, or make one tensor of each"
            ) from None
        if want is None:
            if a.size == 0 or (a.dtype == np.float64 and not _holds_numpy(data, np.float64)):
                a = a.astype(default_numpy_dtype())
            elif a.dtype.kind == "i":
                a = a.astype(np.int64, copy=False)
    if a.dtype.kind not in "biufc":
        raise TypeError(f"can't convert {_describe(data)} to a tensor; give numbers, or nested sequences of numbers")
    return a


def _without_tensors(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data._array if data._array.ndim else data._array[()]
    if isinstance(data, (list, tuple)):
        return [_without_tensors(x) for x in data]
    return data


def _holds_numpy(data: Any, kind: type) -> bool:
    """Whether a (nested) sequence starts with a NumPy value, whose type is kept, rather than a Python number."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic)) and data.dtype == kind


def _describe(data: Any) -> str:
    return f"an array of {data.dtype}" if isinstance(data, np.ndarray) else f"{type(data).__name__} {data!r:.60}"


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf that copies ``data``: a number, nested sequences, an array or a tensor.

    ``dtype`` is by default float32 for Python floats, int64 for ints, bool for bools, and the array's own type for
    arrays. Raises ValueError for ragged sequences and TypeError for what is not numbers.
    """
    _check_device(device)
    return _leaf(_array_from(data, dtype), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, without a copy where its memory and type can be used as they are."""
    _check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == as_numpy_dtype(dtype)):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a tensor; ``copy`` True forces a copy, False forbids one, None copies where it must."""
    made = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False and not (isinstance(obj, (Tensor, np.ndarray)) and made.data_ptr() == _address(obj)):
        raise ValueError("can't alias obj with the given dtype, but copy=False was given")
    return made.requires_grad_() if requires_grad else made


def _address(obj: Any) -> int:
    return obj.data_ptr() if isinstance(obj, Tensor) else obj.__array_interface__["data"][0]


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory. Raises TypeError for anything but an array of numbers."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__}); use ndl.tensor for other data")
    if ndarray.dtype.kind not in "biufc" or not ndarray.dtype.isnative:
        raise TypeError(
            f"can't convert np.ndarray of type {ndarray.dtype}. The supported types are: float64, float32, float16, "
            "complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    made = Tensor._wrap(canonical(ndarray if type(ndarray) is np.ndarray else ndarray.view(np.ndarray)))
    made._shared = True
    return made


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of any object with ``__dlpack__`` on the CPU (PyTorch, JAX, NumPy, …)."""
    made = Tensor._wrap(np.from_dlpack(ext_tensor))
    made._shared = True
    return made


def scalar_tensor(s: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor without dimensions."""
    return tensor(s, dtype=default_numpy_dtype() if dtype is None else dtype, requires_grad=requires_grad)


def _check_device(device: Any) -> None:
    if device is not None and device != "cpu":
        Device(device)


def _shape(size: tuple) -> tuple[int, ...]:
    """(2, 3) from f(2, 3), f((2, 3)) or f(Size([2, 3]))."""
    if len(size) == 1 and isinstance(size[0], (tuple, list, Size)):
        size = tuple(size[0])
    try:
        shape = tuple([n.__index__() for n in size])
    except (AttributeError, TypeError):
        raise TypeError(f"a size must be integers, such as (2, 3), but got {size!r}") from None
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    return shape


def _type(dtype: Any) -> np.dtype:
    return default_numpy_dtype() if dtype is None else as_numpy_dtype(dtype)


def _keyword_size(size: tuple, kwargs: dict) -> tuple:
    """Programs may also say ``zeros(size=(2, 3))``; layout and memory options are taken and mean nothing here."""
    for name in ("out", "layout", "pin_memory", "memory_format"):
        if kwargs.pop(name, None) is not None and name == "out":
            raise TypeError("out= is not here; assign the result, or use copy_()")
    if "size" in kwargs and not size:
        size = (kwargs.pop("size"),)
    if kwargs:
        raise TypeError(f"got an unexpected keyword argument {sorted(kwargs)[0]!r}")
    return size


def _sizes(name: str, size: tuple, kwargs: dict) -> tuple:
    """The shape for ``name(2, 3)``, ``name((2, 3))`` or ``name(size=(2, 3))``."""
    size = _keyword_size(size, kwargs)
    if not size:
        raise TypeError(f"{name}() needs a size, such as {name}(2, 3), or {name}(()) for a single number")
    return _shape(size)


def _check_options(kwargs: dict) -> None:
    """Options of the functions like another tensor: device, layout and the like change nothing here."""
    _check_device(kwargs.pop("device", None))
    _keyword_size((), kwargs)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """A tensor of zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``; float32 by default."""
    _check_device(device)
    return _leaf(np.zeros(_sizes("zeros", size, kwargs), _type(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """A tensor of ones."""
    _check_device(device)
    return _leaf(np.ones(_sizes("ones", size, kwargs), _type(dtype)), requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """A tensor whose values are whatever the memory held."""
    _check_device(device)
    return _leaf(np.empty(_sizes("empty", size, kwargs), _type(dtype)), requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """A tensor of one value; its type is the value's (float32, int64, bool) unless given."""
    _check_device(device)
    _keyword_size((), kwargs)
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    d = scalar_dtype(value) if dtype is None else as_numpy_dtype(dtype)
    return _leaf(np.full(_shape((size,)), value, d), requires_grad)


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … below ``end``; ``arange(n)`` counts from 0. int64 for integers, else the default float."""
    _check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: {start} to {end} by {step}")
    integers = all(isinstance(v, int) for v in (start, end, step))
    d = as_numpy_dtype(dtype) if dtype is not None else np.dtype(np.int64) if integers else default_numpy_dtype()
    n = max(0, -((start - end) // step) if integers else math.ceil((end - start) / step))
    values = start + np.arange(n) * step if integers else start + np.arange(n, dtype=np.float64) * step
    return _leaf(np.asarray(values).astype(d), requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values at equal distances from ``start`` to ``end``, both included."""
    _check_device(device)
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, but got {steps}")
    start, end = (float(v) for v in (start, end))
    # PyTorch counts from both ends so that the sequence is symmetric and ends exactly at `end`.
    step = (end - start) / (steps - 1) if steps > 1 else 0.0
    i = np.arange(steps)
    values = (
        np.where(i < steps / 2, start + step * i, end - step * (steps - 1 - i)) if steps != 1 else np.array([start])
    )
    return _leaf(values.astype(_type(dtype)), requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    """``base`` to the powers ``linspace(start, end, steps)``."""
    powers = linspace(start, end, steps, dtype=np.float64)._array
    return _leaf((base**powers).astype(_type(dtype)), kwargs.get("requires_grad", False))


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """n × m zeros with ones on the diagonal; m = n by default."""
    _check_device(device)
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n and m must be greater or equal to 0, got {n} and {m}")
    return _leaf(np.eye(n, m, dtype=_type(dtype)), requires_grad)


def _like(input: Tensor, dtype: Any) -> np.dtype:
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    return input._array.dtype if dtype is None else as_numpy_dtype(dtype)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """Zeros of the shape, type and memory order of ``input``."""
    _check_options(kwargs)
    return _leaf(np.zeros_like(input._array, _like(input, dtype)), requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """Ones of the shape, type and memory order of ``input``."""
    _check_options(kwargs)
    return _leaf(np.ones_like(input._array, _like(input, dtype)), requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """An uninitialised tensor of the shape, type and memory order of ``input``."""
    _check_options(kwargs)
    return _leaf(np.empty_like(input._array, _like(input, dtype)), requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """One value in the shape, type and memory order of ``input``."""
    _check_options(kwargs)
    return _leaf(np.full_like(input._array, fill_value, _like(input, dtype)), requires_grad)


def _new_type(self: Tensor, dtype: Any) -> Any:
    return self._array.dtype if dtype is None else dtype


def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, requires_grad: bool = False, **kwargs: Any) -> Tensor:
    """A tensor of ``data`` in this tensor's type."""
    _check_options(kwargs)
    return tensor(data, dtype=_new_type(self, dtype), requires_grad=requires_grad)


def new_zeros(self: Tensor, *size: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
    """Zeros in this tensor's type."""
    return zeros(*size, dtype=_new_type(self, dtype), **kwargs)


def new_ones(self: Tensor, *size: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
    """Ones in this tensor's type."""
    return ones(*size, dtype=_new_type(self, dtype), **kwargs)


def new_empty(self: Tensor, *size: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
    """An uninitialised tensor in this tensor's type."""
    return empty(*size, dtype=_new_type(self, dtype), **kwargs)


def new_full(self: Tensor, size: Sequence[int], fill_value: Any, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    """One value in this tensor's type."""
    return full(size, fill_value, dtype=_new_type(self, dtype), **kwargs)
