"""What all operations on single elements share: one type, one shape, and gradients that some elements do not get."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, default_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.promotion import array_of, cast, promote


def dtype_of(x: Any, name: str, argument: str = "'input' (position 1)") -> np.dtype:
    """NumPy's type of a tensor or array. Raises PyTorch's TypeError for anything else."""
    a = x._array if isinstance(x, Tensor) else x
    if not isinstance(a, (np.ndarray, np.generic)):
        raise TypeError(f"{name.lower()}(): argument {argument} must be Tensor, not {type(x).__name__}")
    return a.dtype


def unary(function: type[ArrayFunction], x: Any, *constants: Any) -> Any:
    """``function`` of one tensor or array; integers and booleans become the default float type first."""
    if dtype_of(x, function.__name__).kind not in "fc":
        x = cast(x, default_numpy_dtype())
    return function.apply(x, *constants)


def elementwise(function: type[ArrayFunction], *operands: Any) -> Any:
    """``function`` of operands brought to one type, and broadcast together by NumPy."""
    try:  # as together(), with one call fewer on the way of every x + y
        return function.apply(*promote(*operands))
    except ValueError as error:
        raise RuntimeError(broadcast_message(*operands) or str(error)) from None


def elementwise_float(function: type[ArrayFunction], *operands: Any) -> Any:
    """As ``elementwise``, for functions whose result is a float: integers become the default float type."""
    operands = promote(*operands)
    if array_of(operands[0]).dtype.kind not in "fc":
        d = default_numpy_dtype()
        operands = tuple([cast(x, d) for x in operands])
    return together(function, *operands)


def together(function: type[ArrayFunction], *args: Any) -> Any:
    """``function.apply``, where shapes that do not go together raise PyTorch's RuntimeError."""
    try:
        return function.apply(*args)
    except ValueError as error:
        raise RuntimeError(broadcast_message(*args) or str(error)) from None


def broadcast_message(*operands: Any) -> str | None:
    """Which two sizes do not go together, in PyTorch's words; None if all do."""
    shapes = [array_of(x).shape for x in operands if hasattr(array_of(x), "shape")]
    full: tuple = ()
    for shape in shapes:
        for back in range(1, min(len(full), len(shape)) + 1):
            a, b = full[-back], shape[-back]
            if a != b and 1 not in (a, b):
                at = max(len(full), len(shape)) - back
                return (
                    f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                    f"{at}: shapes {list(full)} and {list(shape)} cannot be broadcast together"
                )
        full = np.broadcast_shapes(full, shape)
    return None


def refuse(name: str, kinds: str, x: Any) -> None:
    """Raise NotImplementedError if the type is of one of NumPy's ``kinds``."""
    d = dtype_of(x, name)
    if d.kind in kinds:
        raise NotImplementedError(
            f"{name}() is not defined for {as_dtype(d)}: convert the tensor first, e.g. with .float()"
        )


def same_type(input: Any, **others: Any) -> None:
    """Raise RuntimeError unless all tensors have the type of ``input``."""
    d = array_of(input).dtype
    for name, x in others.items():
        a = array_of(x)
        if isinstance(a, np.ndarray) and a.dtype != d:
            raise RuntimeError(
                f"expected dtype {as_dtype(d).name} for `{name}` but got dtype {as_dtype(a.dtype).name}: convert one "
                "with .to(dtype)"
            )


class Step(ArrayFunction):
    """A function that is constant between its jumps: dx = 0 for every input."""

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return tuple([np.zeros_like(array_of(dz)) if need else None for need in ctx.needs_input_grad])


_INTEGERS = {2: np.dtype(np.int16), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}


class Keep(ArrayFunction):
    """y = x where mask, else 0;  dx = dy where mask, else 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, mask: Any) -> Any:
        ctx.mask = mask
        # x · mask would make nan of the infinities that the mask is to remove, and np.where takes ten times as
        # long. The bits of x, multiplied by 1 or 0 as if they were an integer, are exactly x or 0.
        return np.multiply(x.view(_INTEGERS[x.itemsize]), mask).view(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Keep.apply(dy, ctx.mask), None


keep = Keep.apply


class Steady(ArrayFunction):
    """y = g, as a function of x too, on which it does not depend;  dg = dy,  dx = 0.

    A gradient of a piecewise linear function is one: so that it can be differentiated again, as PyTorch's can.
    """

    @staticmethod
    def forward(ctx: Any, g: np.ndarray, x: np.ndarray) -> np.ndarray:
        return g.copy()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy, np.zeros_like(array_of(dy))


steady = Steady.apply
