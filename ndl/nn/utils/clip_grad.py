"""Gradients kept small: by their common norm, or each number by itself.

    clip_grad_norm_    g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶))        ‖g‖ = (Σ |g_i|^p)^(1/p) over all parameters
    clip_grad_value_   g ← min(max(g, −c), c)

The first keeps the direction of the step, the second does not. Pascanu, Mikolov & Bengio 2013.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.pointwise import pointwise
from ndl.kernels.row_norm import row_dots
from ndl.ops.extrema import clamp
from ndl.ops.joining import stack
from ndl.ops.linalg import vector_norm

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(g: Tensor, p: float) -> Tensor:
    """‖g‖_p; for p = 2 in one pass that only reads."""
    a = g._array
    if p != 2 or a.dtype.kind != "f" or a.dtype == np.float16 or not a.size:
        return vector_norm(g.detach(), p)
    row = a.ravel(order="K")[None]
    return Tensor._wrap(np.sqrt(row_dots(row, row)).reshape(()))


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The p-norm of all tensors as if they were one vector; ``norm_type`` may be ``inf``. 0 where there are none.

    With ``error_if_nonfinite`` a norm that is infinite or nan raises RuntimeError. ``foreach`` is accepted and changes
    nothing.
    """
    p = float(norm_type)
    with no_grad(), np.errstate(all="ignore"):
        norms = [_norm(g, p) for g in _listed(tensors)]
        if not norms:
            return Tensor._wrap(np.zeros((), np.float32))
        total = vector_norm(stack(norms), p)
    if error_if_nonfinite and not np.isfinite(total._array):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply all gradients by min(1, max_norm / (total_norm + 10⁻⁶)), in place."""
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    with no_grad(), np.errstate(all="ignore"):  # a gradient of ∞ becomes nan without a word, as in PyTorch
        scale = clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
        if scale.item() == 1:
            return
        for g in grads:
            pointwise(np.multiply, g._array, g._array.dtype.type(scale.item()), out=g._array)
            g._version.n += 1


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, so that their common norm is at most ``max_norm``; returns the norm before.

    Parameters without a gradient are passed over. Raises RuntimeError with ``error_if_nonfinite`` where the norm is
    infinite or nan; without it the gradients are scaled all the same, as PyTorch does.
    """
    listed = _listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total = get_total_norm([p.grad for p in listed if p.grad is not None], norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of ``clip_grad_norm_``."""
    warnings.warn("clip_grad_norm is deprecated in favor of clip_grad_norm_.", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every number of every gradient into [−clip_value, clip_value], in place."""
    c: Any = float(clip_value)
    for p in _listed(parameters):
        if p.grad is not None:
            g = p.grad._array
            np.clip(g, -c, c, out=g)
            p.grad._version.n += 1
