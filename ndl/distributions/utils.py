"""What the distributions share: parameters of one shape, probabilities and their logarithms, properties computed once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ndl.autograd.dtypes import finfo, get_default_dtype
from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.size import Size
from ndl.autograd.tensor import Tensor
from ndl.nn.softmax import softmax
from ndl.ops.creation import empty, tensor
from ndl.ops.elementary import logaddexp
from ndl.ops.shape import broadcast_tensors

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits"]

NUMBER = (bool, int, float)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; numbers take the type of the first tensor.

    Raises ValueError for anything else.
    """
    if not all(isinstance(v, (Tensor, *NUMBER)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number or Tensor, but got "
            f"{', '.join(type(v).__name__ for v in values)}"
        )
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), get_default_dtype())
    return tuple(broadcast_tensors(*[v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values]))


def batch_shape_of(parameter: Tensor, *given: Any) -> Size:
    """() if all parameters were given as numbers, else their common shape."""
    return Size() if all(isinstance(v, NUMBER) for v in given) else parameter.shape


def new_empty(like: Tensor, shape: Size) -> Tensor:
    """A tensor to be filled with random numbers, outside of any graph."""
    return empty(tuple(shape), dtype=like.dtype)


def sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last ``dim`` dimensions."""
    return value.sum(tuple(range(-dim, 0))) if dim else value


def softplus(x: Tensor) -> Tensor:
    """ln (1 + e^x) = −ln σ(−x); its derivative is σ(x) everywhere, also at 0."""
    return logaddexp(x, x.new_zeros(()))


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logarithms (softmax), or of log-odds (sigmoid)."""
    return logits.sigmoid() if is_binary else softmax(logits, -1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept ε from 0 and from 1, ε being the type's relative precision."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logarithms of probabilities, or log-odds ln p − ln (1 − p)."""
    p = clamp_probs(probs)
    return p.log() - (-p).log1p() if is_binary else p.log()


class lazy_property(cached_property):
    """A property that is computed when first asked for, with gradients, and then kept."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            return super().__get__(instance, owner)
