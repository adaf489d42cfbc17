"""Dropout: in training elements, or whole channels, are dropped with probability p.

    y_i = x_i m_i,  m_i = 0 with probability p, else 1/(1 − p)          dx_i = dy_i m_i

E[m] = 1, so evaluation needs no scaling: y = x. Srivastava et al. 2014. The feature forms draw one m for each channel of
each example (Tompson et al. 2015). Derivation: docs/blocks/dropout.md.

Alpha dropout keeps the mean and the variance of SELU's outputs: what is dropped becomes α' = −λα, SELU's limit below,
and an affine map puts mean and variance back (Klambauer et al. 2017):

    y_i = a (x_i m_i + α' (1 − m_i)) + b,  m_i ∈ {0, 1}                 dx_i = dy_i a m_i
    a = ((1 − p)(1 + p α'²))^−½,  b = −a α' p
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ndl.autograd.graph import next_number
from ndl.autograd.inplace import assign, check_writable
from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module
from ndl.ops.arithmetic import add, mul
from ndl.ops.dims import values
from ndl.ops.random import bernoulli_like, default_generator

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

ALPHA = 1.7580993408473766  # SELU's λα


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability ``p`` and scale the others by 1 / (1 − p); does nothing in evaluation.

    The same seed gives PyTorch's mask, drawn in the order of memory, so that a transposed input gets a transposed mask.
    Raises ValueError unless 0 <= p <= 1.
    """
    return _dropped("dropout", input, p, training, inplace)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Set each element to −λα with probability ``p``, then restore mean and variance; for networks of SELUs."""
    return _dropped("alpha_dropout", input, p, training, inplace, alpha=True)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """``alpha_dropout`` of whole channels: (N, C, …), one draw for each of the N · C."""
    return _dropped("feature_alpha_dropout", input, p, training, inplace, feature=True, alpha=True)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, L) or (C, L). Raises RuntimeError for other dimensions."""
    _check_probability(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input: (N, C, L) or (C, L) are wanted. "
            "Use dropout for single elements."
        )
    return _channels("dropout1d", input, p, training, inplace, input.ndim == 3)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, H, W). As in PyTorch, three dimensions are (N, C, L), with a warning."""
    _check_probability(p)
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result in an error in "
            "a future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=2,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. Use dropout1d for that.",
            stacklevel=2,
        )
    return _channels("dropout2d", input, p, training, inplace, True)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check_probability(p)
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an error in "
            "a future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=2,
        )
    return _channels("dropout3d", input, p, training, inplace, input.ndim == 5)


def _channels(name: str, input: Any, p: float, training: bool, inplace: bool, batched: bool) -> Any:
    """Dropout of channels; without a batch dimension, the first dimension holds the channels."""
    if batched:
        return _dropped(name, input, p, training, inplace, feature=True)
    if inplace:
        _dropped(name, input[None], p, training, True, feature=True)
        return input
    return _dropped(name, input[None], p, training, False, feature=True)[0]


def mask(shape: tuple[int, ...], dtype: np.dtype, p: float) -> Tensor:
    """0 with probability p, else 1 / (1 − p)."""
    if p == 1:
        return Tensor._wrap(np.zeros(shape, dtype))
    return _scaled(default_generator.bernoulli(1 - p, shape, dtype), p)


def _scaled(m: np.ndarray, p: float) -> Tensor:
    m /= 1 - p
    return Tensor._wrap(m)


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _dropped(
    name: str, input: Any, p: float, training: bool, inplace: bool, feature: bool = False, alpha: bool = False
) -> Any:
    _check_probability(p)
    x = values(input, name)
    if not training or p == 0 or x.size == 0:
        return input
    if x.dtype.kind != "f":
        raise RuntimeError(f"{name} needs a floating-point input, but got {x.dtype}; convert it with .float()")
    if feature and x.ndim < 2 and p < 1:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, (N, C, …), but got {x.ndim}")
    if inplace:
        check_writable(input)
    since = next_number()
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if feature else x.shape
    if p == 1:
        y = mul(input, mask((), x.dtype, p))
    elif alpha:
        m = default_generator.bernoulli(1 - p, shape, x.dtype) if feature else bernoulli_like(input, 1 - p)
        a = 1 / math.sqrt((ALPHA**2 * p + 1) * (1 - p))
        b = (m - 1) * (ALPHA * a) + ALPHA * a * p  # −λα a where dropped, less the mean −λα a p
        y = add(mul(input, Tensor._wrap(m * a)), Tensor._wrap(b))
    else:
        y = mul(input, mask(shape, x.dtype, p) if feature else _scaled(bernoulli_like(input, 1 - p), p))
    return assign(input, y, since) if inplace else y


class _Dropout(Module):
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        _check_probability(p)
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Dropout of single elements with probability ``p`` while training. Any shape."""

    def forward(self, input: Any) -> Any:
        return dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Dropout of whole channels while training. (N, C, L) or (C, L)."""

    def forward(self, input: Any) -> Any:
        return dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Dropout of whole channels while training. (N, C, H, W)."""

    def forward(self, input: Any) -> Any:
        return dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Dropout of whole channels while training. (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Any) -> Any:
        return dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for networks of SELUs: keeps mean and variance. Any shape. ``inplace`` does nothing, as in PyTorch."""

    def forward(self, input: Any) -> Any:
        return alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels, (N, C, …). ``inplace`` does nothing, as in PyTorch."""

    def forward(self, input: Any) -> Any:
        return feature_alpha_dropout(input, self.p, self.training)
