"""Which rung is the fastest for which convolution.

The rule was found by measuring forward and both backward passes (float32, OpenBLAS 0.3, AMD Zen 4 with
AVX-512):

1. 1x1 kernels without padding: ``pointwise``. As many groups as channels and as filters: ``depthwise``.
2. Up to 8 channels to up to 8, or 8 to 16, and 16 pictures or more: ``batch_last``.
3. Kernels of 7 x 7 and more with stride 1 and dilation 1, in float32: ``fft`` where it needs fewer operations.
4. Kernels 3, 5 or 7 rows high with stride 1 and dilation 1, in float32: ``winograd`` for 3x3 from 16
   channels on both sides and 1024 pairs of channels on, else ``winograd_rows``. Not where their tiles would
   hang over the edge so far that nothing is saved (pictures of one or two rows), and not for so few pixels
   that transforming the filters takes longer than using them.
5. At most 16 channels on one side, where copying columns costs as much as multiplying them: ``shifted``.
6. All others: ``tiled``.

Winograd's and Fourier's results differ from those of the other rungs by about 1e-6 of Σ |W| |x|, which for most filters
is 1e-6 of the largest output. Where filters cancel it can be more: ``spot_check`` notices, and another rung computes y,
or dx, anew. (dW is not checked: it is a sum over all pixels.) With Winograd an infinite or NaN pixel spoils the tile it
lies in, up to 4 x 4 outputs more than it should, with Fourier its whole picture. ``set_winograd`` and
``winograd_allowed`` switch both off. float64 never takes them: who asks for float64 asks for digits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import local
from types import ModuleType

import numpy as np

from ndl.kernels.conv2d import batch_last, depthwise, fft, pointwise, shifted, tiled, winograd, winograd_rows
from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size

RUNGS = (
    "four_loops",
    "three_loops",
    "two_loops",
    "im2col",
    "tiled",
    "shifted",
    "winograd_rows",
    "winograd",
    "batch_last",
    "fft",
    "pointwise",
    "depthwise",
)

FEW_CHANNELS = 16
VERY_FEW = 8
LARGE_KERNEL = 7
MANY_PICTURES = 16
PAIRS_FOR_TWO_AXES = 1024  # pairs of channels above which Winograd on both axes beats Winograd on one
PIXELS_PER_FILTER_TRANSFORM = 512  # of the whole batch

_winograd = True


class _Here(local):
    """What was asked for in this thread. (Not context variables: forward passes run in a context of their own.)"""

    winograd: bool | None = None
    rung: ModuleType | None = None


_here = _Here()


def set_winograd(allowed: bool) -> None:
    """Let float32 convolutions use Winograd's algorithm, or not; at first they may."""
    global _winograd
    _winograd = allowed


@contextmanager
def winograd_allowed(allowed: bool) -> Iterator[None]:
    """The same for the ``with`` block only."""
    before, _here.winograd = _here.winograd, allowed
    try:
        yield
    finally:
        _here.winograd = before


def rung(name: str) -> ModuleType:
    """The module of a rung by its name. Raises ``ValueError`` if there is none of that name."""
    if name not in RUNGS:
        raise ValueError(f"there is no rung {name!r}; there are {', '.join(RUNGS)}")
    return import_module(f"ndl.kernels.conv2d.{name}")


@contextmanager
def use_rung(name: str) -> Iterator[None]:
    """Take this rung for every 2-d convolution in the ``with`` block; ``RUNGS`` has the names.

    Raises ``ValueError`` for an unknown name. A rung that does not compute some convolution raises
    ``RuntimeError`` when it meets it.
    """
    before, _here.rung = _here.rung, rung(name)
    try:
        yield
    finally:
        _here.rung = before


def choose(
    x_shape: Shape4,
    W_shape: Shape4,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    dtype: np.dtype,
) -> ModuleType:
    """The module whose ``forward``, ``input_grad`` and ``weight_grad`` are the fastest for this convolution.

    The same for all three, and the same in every call with the same arguments.
    """
    forced = _here.rung
    if forced is not None:
        return forced
    how = (stride, padding, dilation, groups)
    if pointwise.applies(W_shape, *how):
        return pointwise
    if depthwise.applies(W_shape, *how):
        return depthwise
    n_in, n_out = W_shape[1], W_shape[0] // groups
    if groups == 1 and x_shape[0] >= MANY_PICTURES and _few(n_in, n_out):
        return batch_last
    few_digits = dtype == np.float32 and _may_use_winograd()
    large = min(W_shape[2:]) >= LARGE_KERNEL and fft.applies(W_shape, *how)
    if few_digits and large and fft.pays(x_shape, W_shape, padding, groups):
        return fft
    if groups > FEW_CHANNELS and n_in * n_out < FEW_CHANNELS**2:
        return tiled  # many small groups: the only rung that takes all groups in one product
    if few_digits and winograd_rows.applies(W_shape, *how):
        ho, wo = output_size(x_shape[2:], W_shape[2:], stride, padding, dilation)
        if x_shape[0] * ho * wo >= PIXELS_PER_FILTER_TRANSFORM:
            both_axes = min(n_in, n_out) >= FEW_CHANNELS and n_in * n_out > PAIRS_FOR_TWO_AXES
            if both_axes and winograd.applies(W_shape, *how) and winograd.savings((ho, wo)) > 2:
                return winograd
            if winograd_rows.savings((ho, wo), W_shape[2]) > 1.2:
                return winograd_rows
    return shifted if min(n_in, n_out) <= FEW_CHANNELS else tiled


def to_be_checked(rung: ModuleType) -> bool:
    """Whether this rung has fewer digits, and was not asked for by name."""
    return _here.rung is None and rung in (winograd, winograd_rows, fft)


def _few(n_in: int, n_out: int) -> bool:
    """So few channels on both sides that what comes before and after wants the batch innermost, too."""
    return n_in <= VERY_FEW and n_out <= (VERY_FEW if n_in < VERY_FEW else 2 * VERY_FEW)


def _may_use_winograd() -> bool:
    here = _here.winograd
    return _winograd if here is None else here
