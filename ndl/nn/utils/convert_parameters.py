"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ndl.autograd.tensor import Tensor
from ndl.ops.joining import cat

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The parameters one after the other as a vector; gradients flow back to each."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give each parameter its slice of ``vec`` as new values: the parameters then share the vector's memory.

    Raises TypeError if ``vec`` is no Tensor, RuntimeError if it is too short.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected ndl.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        stop = start + p.numel()
        if stop > vec.numel():
            raise RuntimeError(
                f"the vector has {vec.numel()} elements, too few for the parameters: the one of shape {list(p.shape)} "
                f"wants those from {start} to {stop}"
            )
        p.data = vec[start:stop].reshape(p.shape).data
        start = stop
