"""Dropout: in training each element is kept with probability 1 − p and then scaled by 1 / (1 − p).

    y_i = x_i m_i,  m_i = 0 or 1/(1 − p)          dx_i = dy_i m_i

E[m] = 1, so evaluation needs no scaling: y = x. Srivastava et al. 2014. Derivation: docs/blocks/dropout.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.inplace import assign, check_writable
from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module
from ndl.ops.arithmetic import mul
from ndl.ops.promotion import array_of
from ndl.ops.random import default_generator

__all__ = ["Dropout", "dropout"]


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability ``p`` and scale the others by 1 / (1 − p); does nothing in evaluation.

    The same seed gives PyTorch's mask. Raises ValueError unless 0 <= p <= 1.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    x = array_of(input)
    if x.dtype.kind != "f":
        raise RuntimeError(f"dropout needs a floating-point input, but got {x.dtype}; convert it with .float()")
    if inplace:
        check_writable(input)
    y = mul(input, mask(x.shape, x.dtype, p))
    return assign(input, y) if inplace else y


def mask(shape: tuple[int, ...], dtype: np.dtype, p: float) -> Tensor:
    """0 with probability p, else 1 / (1 − p)."""
    if p == 1:
        return Tensor._wrap(np.zeros(shape, dtype))
    m = default_generator.bernoulli(1 - p, shape, dtype)
    m /= 1 - p
    return Tensor._wrap(m)


class Dropout(Module):
    """Dropout of single elements with probability ``p`` while training. Any shape."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
