"""The one table that teaches Tensor its operators and methods, and NumPy's functions about Tensors.

Each line names a module of ``ndl.ops`` and the functions of it that a Tensor has as methods. A name in ``IN_PLACE``
also becomes ``name_``: the same operation, written into the tensor's own memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.inplace import assign, check_writable
from ndl.autograd.interop import FUNCTIONS, UFUNCS
from ndl.autograd.tensor import Tensor
from ndl.ops import arithmetic, conversion, creation, products

METHODS = {
    conversion: "bool_ clone contiguous cpu double float_ half int_ is_contiguous long short to type_ type_as",
    creation: "new_empty new_full new_ones new_tensor new_zeros",
    products: "addbmm addmm addmv addr baddbmm bmm dot ger inner kron matmul mm mv outer vdot",
    arithmetic: "add mul div",
}

IN_PLACE = {
    products: "addbmm addmm addmv addr baddbmm",
    arithmetic: "add mul div",
}

OPERATORS = {
    "matmul": products.matmul,
    "add": arithmetic.add,
    "mul": arithmetic.mul,
    "truediv": arithmetic.div,
}


def in_place(function: Callable) -> Callable:
    """``t.name_(…)``: compute, then write into ``t``."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self)
        return assign(self, function(self, *args, **kwargs))

    method.__name__ = function.__name__ + "_"
    method.__doc__ = f"In-place version of ``{function.__name__}``."
    return method


def reflected(function: Callable) -> Callable:
    """``number ∘ t``."""

    @functools.wraps(function)
    def method(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return method


def bind() -> None:
    """Put everything in its place; runs once, when ``ndl.ops`` is imported."""
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name.rstrip("_"), getattr(module, name))  # float_ is the method float
    for module, names in IN_PLACE.items():
        for name in names.split():
            setattr(Tensor, name + "_", in_place(getattr(module, name)))
    for name, function in OPERATORS.items():
        setattr(Tensor, f"__{name}__", function)
        setattr(Tensor, f"__r{name}__", reflected(function))
        setattr(Tensor, f"__i{name}__", in_place(function))
    UFUNCS.update({np.matmul: products.matmul})
    UFUNCS.update({np.add: arithmetic.add, np.multiply: arithmetic.mul, np.true_divide: arithmetic.div})
    FUNCTIONS.update({})


bind()
