"""How weights start: every initialisation of ``torch.nn.init``, with the same numbers from the same seed.

The aim of most of them is that signals keep their variance from layer to layer. For y_o = Σ_i W_oi x_i with
independent, centred weights and inputs, Var y = fan_in · Var W · E[x²]; going backward, Var dx = fan_out · Var W ·
Var dy. Xavier chooses Var W = 2 / (fan_in + fan_out); Kaiming Var W = gain² / fan, with gain² = 2 for ReLU, which
zeroes half of E[x²].

Every function writes into the tensor, without being recorded, and returns it. Derivation: docs/blocks/init.md.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much larger weights must be so that the nonlinearity keeps the variance.

    1 for linear, convolution and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leaky_relu (``param`` is
    the slope, 0.01 by default), 3/4 for selu. Raises ValueError for any other name.
    """
    linear = [
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
    ]
    if nonlinearity in linear or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(
        f"Unsupported nonlinearity {nonlinearity}; known are {[*linear, 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu']}"
    )


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs an output has, how many outputs an input."""
    if tensor.ndim < 2:
        raise ValueError(
            f"Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: the shape is "
            f"{list(tensor.shape)}"
        )
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with the given mean and standard deviation."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Normal, but only within [a, b], by rejection: what falls outside is drawn again."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=2,
        )

    def cdf(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    draw = _from_the_normal if cdf((b - mean) / std) - cdf((a - mean) / std) > 0.3 else _from_the_interval
    tensor.copy_(Tensor._wrap(draw(tensor, mean, std, a, b, generator)))
    return tensor


def _from_the_normal(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> np.ndarray:
    """Most of the normal lies in [a, b]: draw again whatever fell outside."""
    fresh = Tensor._wrap(np.empty(tensor.shape, tensor._array.dtype))
    x = fresh.normal_(mean, std, generator=generator)._array.copy()
    low, high = x.dtype.type(a), x.dtype.type(b)
    while True:
        outside = (x < low) | (x > high)
        if not outside.any():
            return x
        np.copyto(x, fresh.normal_(mean, std, generator=generator)._array, where=outside)


def _from_the_interval(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> np.ndarray:
    """Little of it does: draw from [a, b] and keep x with probability density(x) / largest density in [a, b]."""
    fresh = Tensor._wrap(np.empty(tensor.shape, tensor._array.dtype))
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    x = np.empty_like(fresh._array)
    waiting = np.ones(x.shape, bool)
    while waiting.any():
        np.copyto(x, fresh.uniform_(a, b, generator=generator)._array, where=waiting)
        log_density = -0.5 * ((fresh._array - mean) / std) ** 2 - log_peak
        with np.errstate(divide="ignore"):
            waiting &= np.log(fresh.uniform_(generator=generator)._array) > log_density
    return x


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element is ``val``."""
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Every element is 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element is 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer that keeps as many inputs as it can."""
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, but got {tensor.ndim}")
    tensor.copy_(Tensor._wrap(np.eye(*tensor.shape, dtype=tensor._array.dtype)))
    return tensor


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that hands as many channels through as it can: 1 at the kernel's centre, else 0."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, but got {tensor.ndim}")
    out, channels = tensor.shape[0], tensor.shape[1]
    if out % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups: {out} channels, {groups} groups")
    values = np.zeros(tensor.shape, tensor._array.dtype)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    per_group = out // groups
    for g in range(groups):
        for c in range(min(per_group, channels)):
            values[(g * per_group + c, c, *centre)] = 1
    tensor.copy_(Tensor._wrap(values))
    return tensor


@no_grad()
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform with variance gain² · 2 / (fan_in + fan_out). Glorot & Bengio 2010."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out))
    bound = math.sqrt(3.0) * std  # a uniform distribution in ±c has variance c² / 3
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with variance gain² · 2 / (fan_in + fan_out). Glorot & Bengio 2010."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return tensor.normal_(0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator=generator)


@no_grad()
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform with variance gain² / fan; ``a`` is leaky_relu's slope. He et al. 2015."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    bound = math.sqrt(3.0) * calculate_gain(nonlinearity, a) / math.sqrt(fan)
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal with variance gain² / fan; ``a`` is leaky_relu's slope. He et al. 2015."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    return tensor.normal_(0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator=generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A matrix with orthonormal rows or columns, times ``gain``: Q of a normal matrix's QR. Saxe et al. 2013."""
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, but got {tensor.ndim}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    cols = tensor.numel() // rows
    flat = Tensor._wrap(np.empty((rows, cols), tensor._array.dtype)).normal_(0, 1, generator=generator)._array
    q, r = np.linalg.qr(flat.T if rows < cols else flat)
    q = q * np.sign(np.diag(r))  # makes Q unique, so that it is uniform over the orthogonal matrices
    q = q.T if rows < cols else q
    tensor.copy_(Tensor._wrap((q * gain).reshape(tensor.shape).astype(q.dtype)))
    return tensor


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with the fraction ``sparsity`` of each column set to zero. Martens 2010."""
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, but got {tensor.ndim}")
    from ndl.ops.random import randperm

    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    values = tensor.detach()._array
    for c in range(cols):
        values[randperm(rows)._array[:zeros], c] = 0
    return tensor


def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function under its name before PyTorch 0.4, without the underscore."""
    old = function.__name__.removesuffix("_")

    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{function.__name__}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    renamed.__name__, renamed.__doc__ = old, f"The old name of ``{function.__name__}``."
    return renamed


constant = _deprecated(constant_)
dirac = _deprecated(dirac_)
eye = _deprecated(eye_)
kaiming_normal = _deprecated(kaiming_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
normal = _deprecated(normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
uniform = _deprecated(uniform_)
xavier_normal = _deprecated(xavier_normal_)
xavier_uniform = _deprecated(xavier_uniform_)
