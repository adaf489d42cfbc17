"""What attention's Modules say about masks, and how their arguments are checked.

In these Modules True in a mask hides a place, in ``scaled_dot_product_attention`` it shows it. So they turn every mask
into the numbers that are added to the scores, 0 or −∞, which mean the same everywhere.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, as_numpy_dtype
from ndl.autograd.tensor import Tensor
from ndl.ops.creation import full
from ndl.ops.triangle import triu

__all__ = ["canonical_mask", "check_shapes", "dtype_of", "square_subsequent_mask"]


def dtype_of(mask: Any) -> Any:
    """The type of a mask that may be None."""
    return None if mask is None else mask.dtype


def canonical_mask(mask: Any, name: str, dtype: Any, other_type: Any = None, other_name: str = "") -> Any:
    """A mask as numbers to be added: −∞ where a boolean one is True, else 0; a floating one as it is.

    Raises AssertionError for any other type; warns if ``other_type``, the type of the mask beside it, is another.
    """
    if mask is None:
        return None
    m = mask._array
    if m.dtype.kind not in "bf":
        raise AssertionError(f"only bool and floating types of {name} are supported, but got {as_dtype(m.dtype)}")
    if other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    if m.dtype.kind == "f":
        return mask
    return Tensor._wrap(np.where(m, -np.inf, 0.0).astype(as_numpy_dtype(dtype)))


def square_subsequent_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    """(size, size): −∞ above the diagonal, where a place would see those after it; else 0."""
    return triu(full((size, size), -np.inf, dtype=dtype, device=device), diagonal=1)


def check_shapes(query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, heads: int) -> bool:
    """Whether there is a batch. Raises AssertionError for numbers of dimensions that do not go together."""
    n = query.ndim
    if n not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor")
    kind = "batched (3-D)" if n == 3 else "unbatched (2-D)"
    if key.ndim != n or value.ndim != n:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {n}-D but found {key.ndim}-D and {value.ndim}-D "
            "tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.ndim != n - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found "
            f"{key_padding_mask.ndim}-D tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.ndim not in (2, 3):
            raise AssertionError(
                f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.ndim}-D tensor "
                "instead"
            )
        wanted = (heads, query.shape[0], key.shape[0])
        if n == 2 and attn_mask.ndim == 3 and tuple(attn_mask.shape) != wanted:
            raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {tuple(attn_mask.shape)}")
    return n == 3
