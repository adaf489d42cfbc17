"""What can be asked about a tensor with a function as well as with a method."""

from __future__ import annotations

from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.ops.dims import values

__all__ = ["is_complex", "is_floating_point", "is_inference", "is_same_size", "is_signed", "numel"]


def numel(input: Any) -> int:
    """The number of elements."""
    return values(input, "numel").size


def is_floating_point(input: Any) -> bool:
    """Whether the elements are float16, float32 or float64."""
    return values(input, "is_floating_point").dtype.kind == "f"


def is_complex(input: Any) -> bool:
    """Whether the elements are complex numbers."""
    return values(input, "is_complex").dtype.kind == "c"


def is_signed(input: Any) -> bool:
    """Whether the elements' type has negative numbers."""
    return values(input, "is_signed").dtype.kind in "ifc"


def is_inference(input: Any) -> bool:
    """Whether the tensor was made inside ``inference_mode``."""
    values(input, "is_inference")
    return isinstance(input, Tensor) and input.is_inference()


def is_same_size(input: Any, other: Any) -> bool:
    """Whether both have the same shape."""
    return values(input, "is_same_size").shape == values(other, "is_same_size", "other", 2).shape
