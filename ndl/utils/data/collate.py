"""Collation: a list of samples as one batch."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.ops.creation import tensor
from ndl.ops.joining import stack

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of a list of samples, as PyTorch puts them together.

    Tensors and arrays are stacked, numbers become a tensor (floats float64), text stays as it came: a list, inside
    tuples and lists a tuple. Tuples, lists and dictionaries are collated part by part. Raises TypeError for anything
    else, RuntimeError for unequal shapes or lengths.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray):
        shapes = {np.shape(x) for x in batch}
        if len(shapes) > 1:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but the samples of this batch have shapes {sorted(shapes)}; "
                "bring them to one size, or give the DataLoader a collate_fn"
            )
        if first.dtype.kind not in "biuf":
            raise TypeError(f"default_collate: batch must contain tensors, numbers, …; found an array of {first.dtype}")
        return Tensor._wrap(np.stack(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, np.generic):
        return Tensor._wrap(np.array(batch, first.dtype))
    if isinstance(first, float):
        return tensor(list(batch), dtype=np.float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, Mapping):
        return _mapping(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "each element in list of batch should be of equal size; give the DataLoader a collate_fn"
            )
        return _sequence(first, [default_collate(part) for part in zip(*batch, strict=True)])
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first).__name__}; give the DataLoader a collate_fn"
    )


def default_convert(data: Any) -> Any:
    """Arrays inside a sample as tensors: what happens to samples that are not batched."""
    if isinstance(data, np.ndarray) and data.dtype.kind in "biuf":
        return Tensor._wrap(data)
    if isinstance(data, np.generic) and not isinstance(data, (str, bytes)):
        return Tensor._wrap(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapping(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(v) for v in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence(data, [default_convert(v) for v in data])
    return data


def _mapping(like: Mapping, parts: dict) -> Any:
    """The parts in a mapping of the sample's own type, where there is a way to make one; else in a dictionary."""
    try:
        if not isinstance(like, MutableMapping):
            return type(like)(parts)  # type: ignore[call-arg]
        made = copy(like)
        made.update(parts)
        return made
    except TypeError:
        return parts


def _sequence(like: Sequence, parts: list) -> Any:
    """The parts in a sequence of the sample's own type, where there is a way to make one; a list for a tuple."""
    if isinstance(like, tuple):
        return parts
    try:
        if not isinstance(like, MutableSequence):
            return type(like)(parts)  # type: ignore[call-arg]
        made = copy(like)
        for i, part in enumerate(parts):
            made[i] = part
        return made
    except TypeError:
        return parts
