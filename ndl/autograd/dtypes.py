"""Data types under PyTorch's names, the default type, and PyTorch's rules of promotion.

NumPy and PyTorch differ in three places, and this file is where they are reconciled:

- a Python number never decides the width of a result, only its kind (NumPy 2 agrees, but makes int·float float64);
- a tensor without dimensions loses against a tensor with dimensions of the same kind (NumPy lets it win);
- integers meeting floats become the *float's* type: int64 with float32 is float32 (NumPy says float64).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.naming import full_name


class dtype:
    """A tensor's element type, as ``torch.dtype``; NumPy takes it wherever it takes a dtype."""

    __slots__ = ("dtype", "name")

    def __init__(self, name: str, numpy: Any) -> None:
        self.name = name
        self.dtype = np.dtype(numpy)  # the attribute NumPy looks for in foreign dtype objects

    @property
    def __numpy_dtype__(self) -> np.dtype:
        return self.dtype

    @property
    def is_floating_point(self) -> bool:
        return self.dtype.kind == "f"

    @property
    def is_complex(self) -> bool:
        return self.dtype.kind == "c"

    @property
    def is_signed(self) -> bool:
        return self.dtype.kind in "ifc"

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    def __repr__(self) -> str:
        return full_name(self.name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dtype):
            return self.dtype == other.dtype
        try:
            return other is not None and self.dtype == np.dtype(other)  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __reduce__(self) -> tuple:
        return as_dtype, (self.dtype.str,)


float64 = double = dtype("float64", np.float64)
float32 = float_ = dtype("float32", np.float32)
float16 = half = dtype("float16", np.float16)
complex64 = cfloat = dtype("complex64", np.complex64)
complex128 = cdouble = dtype("complex128", np.complex128)
int64 = long = dtype("int64", np.int64)
int32 = int_ = dtype("int32", np.int32)
int16 = short = dtype("int16", np.int16)
int8 = dtype("int8", np.int8)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
bool_ = dtype("bool", np.bool_)

_ALL = (float64, float32, float16, int64, int32, int16, int8, uint8, uint16, uint32, uint64, bool_)
_BY_NUMPY = {d.dtype: d for d in (*_ALL, complex64, complex128)}
_BY_PYTHON = {float: float64, int: int64, bool: bool_, complex: complex128}
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}

_default = np.dtype(np.float32)


def as_dtype(value: Any) -> dtype:
    """The ``ndl.dtype`` for a dtype of ndl, NumPy or Python. Raises TypeError naming the ones there are."""
    if isinstance(value, dtype):
        return value
    try:
        return _BY_PYTHON[value] if isinstance(value, type) and value in _BY_PYTHON else _BY_NUMPY[np.dtype(value)]
    except (TypeError, KeyError):
        names = ", ".join(d.name for d in _ALL)
        raise TypeError(f"{value!r} is not a type a tensor can have; choose one of {names}") from None


def as_numpy_dtype(value: Any) -> np.dtype:
    """NumPy's dtype for a dtype of ndl, NumPy or Python (``float`` means float64, as in PyTorch)."""
    return as_dtype(value).dtype


def canonical(array: np.ndarray) -> np.ndarray:
    """The array with NumPy's own dtype object: a pickled array brings an equal one of its own, which ``is`` not it."""
    d = np.dtype(array.dtype.type)
    return array if array.dtype is d or array.dtype != d else array.view(d)


def get_default_dtype() -> dtype:
    """The type of tensors made from Python floats: float32 unless ``set_default_dtype`` changed it."""
    return _BY_NUMPY[_default]


def set_default_dtype(d: Any) -> None:
    """Set the type of tensors made from Python floats. Raises TypeError unless it is a floating type."""
    global _default
    new = as_numpy_dtype(d)
    if new.kind != "f":
        raise TypeError(f"only floating-point types are supported as the default type, but got {d!r}")
    _default = new


def default_numpy_dtype() -> np.dtype:
    """The default type as NumPy's dtype."""
    return _default


def promote_types(type1: Any, type2: Any) -> dtype:
    """The smallest type both types can be converted to, by PyTorch's table: a float beats any integer."""
    return as_dtype(_promote(as_numpy_dtype(type1), as_numpy_dtype(type2)))


def _promote(a: np.dtype, b: np.dtype) -> np.dtype:
    if a == b:
        return a
    if _RANK[a.kind] == _RANK[b.kind]:
        return np.promote_types(a, b)
    low, high = (a, b) if _RANK[a.kind] < _RANK[b.kind] else (b, a)
    if high.kind == "c" and low == np.float64:
        return np.dtype(np.complex128)
    return high


def scalar_dtype(value: Any) -> np.dtype:
    """The type a Python number stands for: bool, int64, the default float, or the complex of that width."""
    if isinstance(value, (bool, np.bool_)):
        return np.dtype(np.bool_)
    if isinstance(value, (int, np.integer)):
        return np.dtype(np.int64)
    if isinstance(value, (float, np.floating)):
        return _default
    if isinstance(value, (complex, np.complexfloating)):
        return np.promote_types(_default, np.complex64)
    raise TypeError(f"expected a Tensor, an array or a number, but got {type(value).__name__}: {value!r}")


def result_numpy_dtype(*operands: Any) -> np.dtype:
    """PyTorch's result type of an operation over arrays and Python numbers.

    Operands fall into three classes: arrays with dimensions, arrays without, Python numbers. A later class
    matters only when its kind (bool < integer < float < complex) is above that of all earlier classes.
    """
    with_dims: np.dtype | None = None
    without: np.dtype | None = None
    numbers: np.dtype | None = None
    for x in operands:
        if isinstance(x, np.ndarray):
            if x.ndim:
                with_dims = x.dtype if with_dims is None else _promote(with_dims, x.dtype)
            else:
                without = x.dtype if without is None else _promote(without, x.dtype)
        else:
            d = scalar_dtype(x)
            numbers = d if numbers is None else _promote(numbers, d)
    result = with_dims
    for lower in (without, numbers):
        if lower is not None and (result is None or _RANK[lower.kind] > _RANK[result.kind]):
            result = lower
    if result is None:
        raise TypeError("a result type needs at least one operand")
    return result


def can_cast(from_: Any, to: Any) -> bool:
    """Whether an in-place operation may write ``from_`` into ``to``: not float into int, not int into bool."""
    return _RANK[as_numpy_dtype(from_).kind] <= _RANK[as_numpy_dtype(to).kind]


class finfo:
    """Limits of a floating type: ``bits eps max min tiny smallest_normal resolution``, as ``torch.finfo``."""

    def __init__(self, type: Any = None) -> None:
        d = _default if type is None else as_numpy_dtype(type)
        if d.kind != "f":
            raise TypeError(f"finfo() needs a floating-point type, but got {type!r}; use iinfo() for integers")
        info = np.finfo(d)
        self.dtype, self.bits = as_dtype(d).name, info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(str(info.resolution))  # the number it stands for, 0.001, not the nearest float16

    def __repr__(self) -> str:
        return f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "\
               f"smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})"  # fmt: skip


class iinfo:
    """Limits of an integer type: ``bits max min``, as ``torch.iinfo``."""

    def __init__(self, type: Any) -> None:
        d = as_numpy_dtype(type)
        if d.kind not in "iu":
            raise TypeError(f"iinfo() needs an integer type, but got {type!r}; use finfo() for floats")
        info = np.iinfo(d)
        self.dtype, self.bits, self.max, self.min = as_dtype(d).name, info.bits, int(info.max), int(info.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
