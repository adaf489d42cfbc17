"""Three operands in one step: lerp, addcmul, addcdiv."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.elementwise import refuse, same_type, together
from ndl.ops.promotion import array_of, promote

__all__ = ["addcdiv", "addcmul", "lerp"]


class Lerp(ArrayFunction):
    """z = x + w (y − x);  dx = dz (1 − w),  dy = dz w,  dw = dz (y − x)."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, w: Any) -> np.ndarray:
        need_dx, need_dy, need_dw = ctx.needs_input_grad[:3]
        ctx.save_for_backward(x if need_dw else None, y if need_dw else None, w if need_dx or need_dy else None)
        # Starting from the nearer end, w = 1 gives exactly y.
        if not isinstance(w, np.ndarray):
            return x + w * (y - x) if -0.5 < w < 0.5 else y - (y - x) * (1 - w)
        return np.where(np.absolute(w) < 0.5, x + w * (y - x), y - (y - x) * (1 - w))

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y, w = ctx.saved_tensors
        need_dx, need_dy, need_dw = ctx.needs_input_grad
        return dz * (1 - w) if need_dx else None, dz * w if need_dy else None, dz * (y - x) if need_dw else None


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight · (end − input), for a number or a tensor ``weight``.

    Gradients: dz · (1 − weight), dz · weight and dz · (end − input). Raises RuntimeError if the types differ, and
    NotImplementedError for integers.
    """
    same_type(input, end=end, weight=weight)
    refuse("lerp", "biu", input)
    return together(Lerp, input, end, weight)


class Addcmul(ArrayFunction):
    """z = x + v a b;  dx = dz,  da = dz v b,  db = dz v a."""

    @staticmethod
    def forward(ctx: Any, x: Any, a: Any, b: Any, v: Any) -> np.ndarray:
        _, need_da, need_db = ctx.needs_input_grad[:3]
        ctx.save_for_backward(a if need_db else None, b if need_da else None)
        ctx.v = v
        return x + (a * b if v == 1 else v * a * b)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        a, b = ctx.saved_tensors
        _, need_da, need_db, _ = ctx.needs_input_grad
        return dz, dz * (b * ctx.v) if need_da else None, dz * (a * ctx.v) if need_db else None, None


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 · tensor2. Gradients: dz, dz · value · tensor2 and dz · value · tensor1."""
    x, a, b = promote(input, tensor1, tensor2)
    return together(Addcmul, x, a, b, value if array_of(x).dtype.kind in "fc" else int(value))


class Addcdiv(ArrayFunction):
    """z = x + v a / b;  dx = dz,  da = dz v / b,  db = −dz v a / b²."""

    @staticmethod
    def forward(ctx: Any, x: Any, a: Any, b: Any, v: Any) -> np.ndarray:
        ctx.save_for_backward(a if ctx.needs_input_grad[2] else None, b)
        ctx.v = v
        return x + (a / b if v == 1 else v * a / b)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        a, b = ctx.saved_tensors
        da = dz * (ctx.v / b)
        return dz, da, -da * (a / b) if ctx.needs_input_grad[2] else None, None


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 / tensor2. Gradients: dz, dz · value / tensor2 and −dz · value · tensor1 / tensor2².

    Raises RuntimeError if both tensors are integers.
    """
    if array_of(tensor1).dtype.kind in "biu" and array_of(tensor2).dtype.kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: use input + value * torch.trunc(tensor1 / tensor2) "
            "for the quotient without its fraction, or convert a tensor with .float()"
        )
    x, a, b = promote(input, tensor1, tensor2)
    return together(Addcdiv, x, a, b, value)
