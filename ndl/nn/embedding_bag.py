"""EmbeddingBag: sums, means or maxima of bags of embeddings, where a bag is a run of indices.

With rows r_k = W_{i_k} and bag b the indices k from start_b to the next start,

    sum    y_b = Σ_k p_k r_k                   dr_k = p_k dy_b         dp_k = dy_b · r_k
    mean   y_b = 1/n_b Σ_k r_k                 dr_k = dy_b / n_b
    max    y_bd = max_k r_kd                   dr_kd = dy_bd at the first k that has the maximum, else 0

and dW adds up the dr by row, as ``ndl.nn.embedding`` says. Indices equal to ``padding_idx`` are not in any bag, and
an empty bag gives 0. Derivation: docs/blocks/embedding.md.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.nn.embedding import (
    EmbeddingFunction,
    check_indices,
    check_range,
    limit_norms,
    new_table,
    padding_row,
    reset_table,
    table_size,
)
from ndl.nn.module import Module
from ndl.ops.dims import values
from ndl.ops.places import Index, Spread
from ndl.ops.promotion import array_of

__all__ = ["EmbeddingBag", "embedding_bag"]


class BagSum(ArrayFunction):
    """y_b = c_b Σ r_k over the k of bag b;  dr_k = c_b dy_b.

    ``bag`` (n): the bag of each row, growing; ``c`` (B): 1, or 1 / the number of rows for the mean.
    """

    @staticmethod
    def forward(ctx: Any, r: np.ndarray, bag: np.ndarray, c: np.ndarray) -> np.ndarray:
        ctx.bag, ctx.c = bag, c
        y = np.zeros((c.size, r.shape[1]), r.dtype)  # (B, D)
        filled, starts = runs(bag)
        if filled.size:
            y[filled] = np.add.reduceat(r, starts, axis=0)
        y *= c[:, None]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Index.apply(dy * ctx.c[:, None], (0,), ctx.bag), None, None  # (n, D)


class BagMax(ArrayFunction):
    """y_bd = max r_kd over the k of bag b;  dr_kd = dy_bd at the first k that has it. A nan is the maximum."""

    @staticmethod
    def forward(ctx: Any, r: np.ndarray, bag: np.ndarray, bags: int) -> np.ndarray:
        y = np.zeros((bags, r.shape[1]), r.dtype)  # (B, D)
        filled, starts = runs(bag)
        first = np.zeros((filled.size, r.shape[1]), np.int64)
        if filled.size:
            y[filled] = np.maximum.reduceat(r, starts, axis=0)
            m = y[bag]  # (n, D)
            k = np.where((r == m) | np.isnan(r), np.arange(len(r))[:, None], len(r))
            first = np.minimum.reduceat(k, starts, axis=0)  # (filled, D)
        ctx.shape, ctx.filled, ctx.first = r.shape, filled, first
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        columns = np.broadcast_to(np.arange(ctx.shape[1]), ctx.first.shape)
        dm = Index.apply(dy, (0,), ctx.filled)  # (filled, D)
        return Spread.apply(dm, ctx.shape, (0, 1), ctx.first, columns), None, None  # (n, D)


def runs(bag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bags that are not empty, and where each begins."""
    starts = np.flatnonzero(np.concatenate((np.ones(min(bag.size, 1), bool), bag[1:] != bag[:-1])))
    return bag[starts], starts


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of each bag: (B, N), or (N) with ``offsets`` (B), -> (B, D).

    Args:
        input: int64 or int32 indices: a bag in each row, or all bags one after the other.
        offsets: where each bag begins, from 0 on; with ``include_last_offset`` also where the last one ends.
        per_sample_weights: p_k, of the input's shape; for mode "sum" only.
        padding_idx: indices that count for nothing.
        max_norm, norm_type, sparse: see ``embedding``.
        scale_grad_by_freq: divide the gradient of a row by how often it is used. (PyTorch 2.13 divides by another
            row's number where rows are not used equally often.)

    Raises ValueError for shapes or modes that do not go together, RuntimeError for indices or offsets out of range.
    """
    i, W = values(input, "embedding_bag", "indices", 2), values(weight, "embedding_bag", "weight", 1)
    if W.dtype == np.int64 and i.dtype.kind == "f":
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input, W, i = input, weight, i, W
    p = per_sample_weights
    if p is not None and array_of(p).shape != i.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(array_of(p).shape)}) is not None, then it must have the same "
            f"shape as the input ({list(i.shape)})"
        )
    if W.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {W.ndim}")
    if W.dtype.kind != "f":
        raise RuntimeError(f"embedding_bag: weight must be floating-point, but got {as_dtype(W.dtype)}; use .float()")
    bag, bags = _bags(i, offsets, include_last_offset)
    _check_mode(mode, scale_grad_by_freq, sparse, p, W)
    check_indices("embedding_bag", i)
    check_range(i, W.shape[0], RuntimeError)
    if padding_idx is not None and not -W.shape[0] <= padding_idx < W.shape[0]:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-W.shape[0]} through {W.shape[0] - 1}, but got "
            f"{padding_idx}"
        )
    if max_norm is not None:
        limit_norms(weight, i, max_norm, norm_type)
    flat = i.reshape(-1)[: bag.size]  # what lies behind the last offset is in no bag
    p = None if p is None else p.reshape(-1)[: bag.size]
    if padding_idx is not None:
        kept = np.flatnonzero(flat != padding_idx % W.shape[0])
        flat, bag = flat[kept], bag[kept]
        p = None if p is None else Index.apply(p, (0,), kept)
    r = EmbeddingFunction.apply(weight, flat, None, bool(scale_grad_by_freq))  # (n, D)
    if p is not None:
        r = r * p.reshape(-1, 1)
    if mode == "max":
        return BagMax.apply(r, bag, bags)
    c = np.ones(bags, W.dtype)
    if mode == "mean":
        c /= np.maximum(np.bincount(bag, minlength=bags), 1)
    return BagSum.apply(r, bag, c)


def _bags(i: np.ndarray, offsets: Any, include_last: bool) -> tuple[np.ndarray, int]:
    """The number of the bag of each index, (n), and how many bags there are."""
    if i.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        if i.shape[1] == 0:
            raise RuntimeError(
                f"step must be nonzero: the bags of an input of shape {list(i.shape)} are empty, give offsets"
            )
        return np.repeat(np.arange(i.shape[0]), i.shape[1]), i.shape[0]
    if i.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {i.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    o = array_of(offsets)
    if o.ndim != 1:
        raise ValueError(f"offsets has to be a 1D Tensor, but got Tensor of dimension {o.ndim}")
    if o.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"embedding_bag: offsets must be int64 or int32, but got {as_dtype(o.dtype)}; use .long()")
    if include_last and o.size == 0:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if o.size and o[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {int(o[0])}"
        )
    if o.size and o[-1] > i.size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {i.size} but got offsets[-1] of {int(o[-1])}"
        )
    ends = o if include_last else np.append(o, i.size if o.size else 0)
    sizes = np.diff(ends)
    if (sizes < 0).any():
        raise RuntimeError(f"offsets must not decrease, but got {o.tolist()}")
    return np.repeat(np.arange(sizes.size), sizes), sizes.size


def _check_mode(mode: str, by_frequency: bool, sparse: bool, p: Any, W: np.ndarray) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, but got {mode!r}")
    if mode == "max" and by_frequency:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if p is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode={mode!r})."
        )
    if p is not None and array_of(p).dtype != W.dtype:
        raise RuntimeError(
            f"embedding_bag: per_sample_weights must have the weight's type {as_dtype(W.dtype)}, but got "
            f"{as_dtype(array_of(p).dtype)}; convert them with .to(dtype)"
        )


class EmbeddingBag(Module):
    """Sums, means or maxima over bags of learned vectors; see ``embedding_bag``.

    The weight (num_embeddings, embedding_dim) starts standard normal, with zeros in row ``padding_idx``.
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = padding_row(padding_idx, num_embeddings)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.weight = new_table(num_embeddings, embedding_dim, _weight, dtype, device)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, and zero the padding row."""
        reset_table(self.weight, self.padding_idx)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """An EmbeddingBag of these vectors (V, D), whose memory it shares; ``freeze=False`` trains them."""
        rows, columns = table_size(embeddings)
        made = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        made.weight.requires_grad_(not freeze)
        return made
