"""Interpolation: a picture in another size, in 1, 2 and 3 dimensions.

Every mode but ``area`` is a product of one small matrix for each axis, W_a of m_a outputs x n_a inputs, whose rows say
which inputs an output is made of (``ndl.kernels.resample`` tells how they are found). For two axes:

    y = W_h x W_wᵀ              y_pq = Σ_ij W_h[p, i] W_w[q, j] x_ij
    dx = W_hᵀ dy W_w            dx_ij = Σ_pq W_h[p, i] W_w[q, j] dy_pq

Backward is the same resampling with every matrix transposed, and its own backward the first one again. ``area`` is
adaptive average pooling.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.resample import Taps, resample, taps
from ndl.nn.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from ndl.nn.module import Module
from ndl.ops.promotion import array_of

__all__ = [
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "interpolate",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

KINDS = {  # mode: (the kind of taps, the input's dimensions that it is for)
    "nearest": ("nearest", (3, 4, 5)),
    "nearest-exact": ("nearest-exact", (3, 4, 5)),
    "area": ("area", (3, 4, 5)),
    "linear": ("linear", (3,)),
    "bilinear": ("linear", (4,)),
    "trilinear": ("linear", (5,)),
    "bicubic": ("cubic", (4,)),
    "lanczos": ("lanczos", (4,)),
}


class Resample(ArrayFunction):
    """y = W_1 ⊗ … ⊗ W_d x over the last d axes;  dx = W_1ᵀ ⊗ … ⊗ W_dᵀ dy. None for an axis that stays as it is."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[Taps | None, ...]) -> np.ndarray:
        ctx.axes = axes
        first = x.ndim - len(axes)
        work = [(len(t.places) / t.size, first + a, t) for a, t in enumerate(axes) if t is not None]
        y = x.astype(np.float32) if x.dtype == np.float16 else x
        for _, axis, t in sorted(work, key=lambda w: w[:2]):  # the axis that shrinks most comes first
            y = resample(y, t, axis)
        return y.astype(x.dtype, copy=not work)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Resample.apply(dy, tuple(None if t is None else t.transposed for t in ctx.axes)), None


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """The input in another size: (N, C, [D, [H,]] W) -> (N, C, [D', [H',]] W').

    Either ``size`` or ``scale_factor``, one number for all axes or one for each; a factor gives ⌊n · factor⌋.

    Args
        mode: 'nearest', 'nearest-exact' and 'area' for 3-d to 5-d inputs; 'linear' for 3-d, 'bilinear', 'bicubic' and
            'lanczos' (which needs ``antialias=True``) for 4-d, 'trilinear' for 5-d ones.
        align_corners: True sets the centres of the corner pixels on each other, False the corners of the pictures
            (the linear and cubic modes; None is False).
        recompute_scale_factor: True computes coordinates from the two sizes, as if ``size`` had been given, instead of
            from the factor, which differs where n · factor is not whole.
        antialias: for smaller pictures, filters over all pixels that an output stands for (bilinear, bicubic, lanczos).

    Where PyTorch's nearest gradient disagrees with its own output (a factor such as 1.1 that gives ⌊n · factor⌋ = n, or
    2.1 that gives 2n), the gradient here is that of the output. Raises ValueError, NotImplementedError, TypeError or
    RuntimeError, each as PyTorch does, for arguments that do not fit.
    """
    x = array_of(input)
    factors = _checked(x, size, scale_factor, mode, align_corners, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and x.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as "
            f"input, but got mode={mode!r} and a {x.ndim}-D tensor"
        )
    kind, dims = KINDS.get(mode, ("", ()))
    if x.ndim not in dims:
        raise NotImplementedError(_no_such_mode(x.ndim, mode))
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError(
            "Lanczos mode does not support align_corners=True"
            if align_corners
            else "Lanczos mode requires antialias=True"
        )
    n = x.shape[2:]
    m = _sizes(n, size, factors)
    if min(n) < 1 or min(m) < 1:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(n)} and output {list(m)}"
        )
    if kind == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[x.ndim - 3](input, m)
    if x.shape[1] == 0:
        raise RuntimeError(f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}")
    if x.dtype.kind != "f" and not (kind.startswith("nearest") and x.dtype == np.uint8):
        raise NotImplementedError(
            f"interpolate with mode={mode!r} is not implemented for {as_dtype(x.dtype)}: convert the input with .float()"
        )
    if recompute_scale_factor or factors is None:
        factors = (None,) * len(n)
    dtype = np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
    axes = [taps(kind, a, b, bool(align_corners), f, antialias, dtype) for a, b, f in zip(n, m, factors)]
    return Resample.apply(input, tuple(axes))


def _checked(
    x: np.ndarray, size: Any, scale_factor: Any, mode: str, align_corners: Any, recompute: Any
) -> tuple[float | None, ...] | None:
    """The factors, one for each axis, or None if a size is given."""
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear, "
            f"but got mode={mode!r}"
        )
    if size is not None and scale_factor is not None:
        raise ValueError(
            f"only one of size or scale_factor should be defined, but got size={size} and scale_factor={scale_factor}"
        )
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if recompute and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    given, name = (size, "output size") if scale_factor is None else (scale_factor, "scale_factor")
    if isinstance(given, (list, tuple)) and len(given) != x.ndim - 2:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(x.shape[2:])} and {name} of {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{name} with one number for each of d1, d2, ...,dK."
        )
    if scale_factor is None:
        return None
    try:
        return tuple(map(float, _each(scale_factor, x.ndim - 2)))
    except (TypeError, ValueError):
        raise TypeError(f"interpolate(): scale_factor must be a number or a tuple of them, but got {given!r}") from None


def _each(given: Any, d: int) -> Sequence[Any]:
    return given if isinstance(given, (list, tuple)) else (given,) * d


def _sizes(n: Sequence[int], size: Any, factors: tuple[float | None, ...] | None) -> tuple[int, ...]:
    if factors is not None:
        return tuple(int(a * f) for a, f in zip(n, factors) if f is not None)
    try:
        return tuple(operator.index(m) for m in _each(size, len(n)))
    except TypeError:
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
            f"size={size!r}"
        ) from None


def _no_such_mode(ndim: int, mode: str) -> str:
    wanted = KINDS.get(mode, ("", ()))[1]
    if ndim in (3, 4, 5) and mode in ("linear", "bilinear", "trilinear"):
        return f"Got {ndim}D input, but {mode} mode needs {wanted[0]}D input"
    return (
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: nearest | linear | bilinear "
        f"| bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
    )


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Deprecated name of ``interpolate``."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Deprecated: ``interpolate`` with mode 'nearest'."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Deprecated: ``interpolate`` with mode 'bilinear' and aligned corners."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


class Upsample(Module):
    """``interpolate`` as a Module: (N, C, [D, [H,]] W) -> (N, C, [D', [H',]] W'); the arguments are those of the function."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        elif scale_factor:
            self.scale_factor = float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        given = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Nearest neighbours in two dimensions: (N, C, H, W) -> (N, C, H', W')."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bilinear with aligned corners: (N, C, H, W) -> (N, C, H', W')."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
