"""Arguments of convolutions: options for each dimension, and what is said when shapes or types do not fit."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.ops.promotion import array_of

Sizes = tuple[int, ...]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def spatial(name: str, what: str, value: Any, n: int, low: int) -> Sizes:
    """An option as one int for each of ``n`` spatial dimensions.

    As in PyTorch, one number in a tuple counts for all dimensions, but not for a kernel. Raises TypeError for what is
    no whole number, RuntimeError for the wrong count or sign.
    """
    try:
        values = tuple(index(v) for v in value) if isinstance(value, (tuple, list)) else (index(value),) * n
    except TypeError:
        raise TypeError(f"{name}: {what} must be one whole number or {n} of them, but got {value!r}") from None
    if len(values) == 1 and what != "kernel_size":
        values *= n
    if len(values) != n:
        raise RuntimeError(f"{name}: {what} must be one number or {n}, one for each spatial dimension, but got {value}")
    if any(v < low for v in values):
        wanted = "positive" if low else "non-negative"
        raise RuntimeError(f"{name}: {wanted} {what} is wanted, but got {value}")
    return values


def as_arrays(name: str, input: Any, weight: Any) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of a convolution's two operands. Raises TypeError for what is no tensor."""
    for what, v in (("input", input), ("weight", weight)):
        if not isinstance(v, (Tensor, np.ndarray)):
            raise TypeError(f"{name}: {what} must be a Tensor, but got {type(v).__name__}")
    return array_of(input), array_of(weight)


def check(name: str, x: np.ndarray, W: np.ndarray, b: np.ndarray | None, n: int, groups: int, transposed: bool) -> None:
    """Raise RuntimeError where ranks, types, channels or groups of a convolution's arguments do not fit.

    NotImplementedError for types that are not computed with.
    """
    if W.ndim != n + 2:
        raise RuntimeError(f"{name} expects a weight of {n + 2} dimensions, but got shape {list(W.shape)}")
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: {list(x.shape)}"
        )
    for what, v in (("weight", W), ("bias", b)):
        if v is not None and v.dtype != x.dtype:
            raise RuntimeError(
                f"{name}: input and {what} must have the same type, but got {x.dtype} and {v.dtype}; convert with .to()"
            )
    if x.dtype.kind not in "fiu" or (transposed and x.dtype.kind != "f" and x.dtype != np.int64):
        raise NotImplementedError(f'"{name}" not implemented for {x.dtype}; convert the input with .float()')
    if groups < 1:
        raise RuntimeError(f"{name}: groups must be positive, but got {groups}")
    channels = x.shape[-n - 1]
    wanted = W.shape[0] if transposed else W.shape[1] * groups
    if W.shape[0] % groups:
        raise RuntimeError(
            f"{name}: groups={groups} must divide the weight's first size, but its shape is {list(W.shape)}"
        )
    if channels != wanted:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(W.shape)}, expected input{list(x.shape)} to have {wanted} "
            f"channels, but got {channels} channels instead"
        )
    out = W.shape[1] * groups if transposed else W.shape[0]
    if b is not None and b.shape != (out,):
        raise RuntimeError(
            f"{name}: given weight of size {list(W.shape)}, expected bias to be 1-dimensional with {out} elements, but got "
            f"bias of size {list(b.shape)} instead"
        )
    if 0 in x.shape[x.ndim - n - 1 :] or 0 in W.shape:
        raise RuntimeError(
            f"{name}: no dimension but the batch may be empty, but got input {list(x.shape)} and weight {list(W.shape)}"
        )


def check_channels(name: str, in_channels: int, out_channels: int, groups: int) -> None:
    """Raise ValueError where groups do not divide the channels of a Module."""
    if groups <= 0:
        raise ValueError(f"{name}: groups must be a positive integer, but got {groups}")
    for what, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"{name}: {what} must be divisible by groups, but got {channels} and groups={groups}")


def reset_convolution(module: Any) -> None:
    """Kaiming-uniform with a = √5, which is uniform in ±1/√fan_in; the bias likewise."""
    init.kaiming_uniform_(module.weight, a=math.sqrt(5))
    if module.bias is not None:
        fan_in = math.prod(module.weight.shape[1:])
        if fan_in:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(module.bias, -bound, bound)


def describe_convolution(module: Any) -> str:
    """PyTorch's text of a convolution Module: channels, kernel and stride, then what differs from the defaults."""
    zeros, ones = (0,) * module.n, (1,) * module.n
    text = f"{module.in_channels}, {module.out_channels}, kernel_size={module.kernel_size}, stride={module.stride}"
    if module.padding != zeros:
        text += f", padding={module.padding}"
    if module.dilation != ones:
        text += f", dilation={module.dilation}"
    if module.output_padding != zeros:
        text += f", output_padding={module.output_padding}"
    if module.groups != 1:
        text += f", groups={module.groups}"
    if module.bias is None:
        text += ", bias=False"
    if module.padding_mode != "zeros":
        text += f", padding_mode={module.padding_mode}"
    return text
