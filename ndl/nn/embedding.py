"""Embedding: a table of vectors, looked up by number; and one_hot, which says the same as a matrix product.

    y_n = W_{i_n}                              Y = P W   with P_nv = 1[v = i_n], the one-hot matrix
    dW_v = Σ_{n: i_n = v} dy_n                 dW = Pᵀ dY

So each dy is added to the row it was read from, and a row read k times gets a sum of k gradients. Two options change
that: rows of ``padding_idx`` get nothing, and with ``scale_grad_by_freq`` a row gets the mean, not the sum.

Derivation: docs/blocks/embedding.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.dims import values
from ndl.ops.places import Index, Spread
from ndl.ops.promotion import array_of

__all__ = ["Embedding", "embedding", "one_hot"]


class EmbeddingFunction(ArrayFunction):
    """y_n = W_{i_n};  dW_v = s_v Σ dy_n over the n with i_n = v, s_v = 1 or 1 / (how many there are).

    ``padding``: the row that gets no gradient, or None. ``mean``: whether to divide by how often a row was read.
    """

    @staticmethod
    def forward(ctx: Any, W: np.ndarray, i: np.ndarray, padding: int | None, mean: bool) -> np.ndarray:
        ctx.save_for_backward(i)
        ctx.shape, ctx.padding, ctx.mean = W.shape, padding, mean
        return W.take(i, axis=0)  # (V, D) (…) -> (…, D)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (i,) = ctx.saved_tensors
        i = array_of(i).reshape(-1)  # (N)
        dy = dy.reshape(i.size, ctx.shape[1])  # (N, D)
        if ctx.padding is not None:
            kept = np.flatnonzero(i != ctx.padding)
            i, dy = i[kept], Index.apply(dy, (0,), kept)
        if ctx.mean:
            dy = dy * (1 / frequencies(i)).astype(array_of(dy).dtype)[:, None]
        return Spread.apply(dy, ctx.shape, (0,), i), None, None, None


def frequencies(i: np.ndarray) -> np.ndarray:
    """For each index, how often it occurs."""
    return np.bincount(i)[i]


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` that ``input`` names: (…) and (V, D) -> (…, D). dW adds up dy by row.

    Args:
        input: int64 or int32 numbers from 0 to V − 1, any shape.
        padding_idx: a row that gets no gradient; counted from the end if negative.
        max_norm: rows that are looked up and whose ``norm_type``-norm is larger are first scaled down to it, in place.
        scale_grad_by_freq: divide the gradient of a row by how often it occurs in ``input``.
        sparse: PyTorch's gradient would be a sparse tensor; here it is dense, with the same numbers.

    Raises IndexError for a number out of range, RuntimeError for other types and for a weight that is no matrix,
    AssertionError for a ``padding_idx`` out of range.
    """
    W = values(weight, "embedding", "weight", 1)
    i = values(input, "embedding", "indices", 2)
    if W.ndim != 2:
        raise RuntimeError(f"embedding: 'weight' must be 2-D, (num_embeddings, embedding_dim), but got {list(W.shape)}")
    check_indices("embedding", i)
    padding_idx = padding_row(padding_idx, W.shape[0])
    check_range(i, W.shape[0])
    if max_norm is not None:
        limit_norms(weight, i, max_norm, norm_type)
    return EmbeddingFunction.apply(weight, input, padding_idx, bool(scale_grad_by_freq))


def check_indices(name: str, i: np.ndarray) -> None:
    """Raise RuntimeError for a type that is not made for indices."""
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{as_dtype(i.dtype)} instead (in {name}); convert it with .long()"
        )


def check_range(i: np.ndarray, size: int, error: type[Exception] = IndexError) -> None:
    """Raise ``error`` unless all indices are from 0 to size − 1."""
    if i.size and not 0 <= (low := i.min()) <= (high := i.max()) < size:
        wrong = int(low if low < 0 else high)
        where = tuple(int(k) for k in np.argwhere(i == wrong)[0])
        raise error(
            f"index out of range in self: the index at {where} is {wrong}; wanted 0 to {size - 1}, since the weight "
            f"has {size} rows"
        )


def padding_row(padding_idx: int | None, size: int) -> int | None:
    """``padding_idx`` counted from the front. Raises AssertionError if there is no such row."""
    if padding_idx is None:
        return None
    if padding_idx < -size or (padding_idx >= size and padding_idx > 0):
        raise AssertionError(f"Padding_idx must be within num_embeddings ({size}), but got {padding_idx}")
    return padding_idx + size if padding_idx < 0 else padding_idx


def limit_norms(weight: Any, i: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to ``max_norm``, in place and unseen by the graph."""
    W = values(weight, "embedding_renorm_", "self", 1)
    rows = np.unique(i)
    norms = np.linalg.norm(W[rows].astype(np.float64), norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        rows = rows[long]
        scale = (max_norm / (norms[long] + 1e-7)).astype(W.dtype)  # the 1e-7 is PyTorch's
        with no_grad():
            weight[rows] = W[rows] * scale[:, None]


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """1 at the class, 0 elsewhere, int64: (…) -> (…, num_classes).

    ``num_classes = −1`` takes the largest class and one. Raises RuntimeError for a type other than int64, for classes
    outside 0 … num_classes − 1, and where the number of classes cannot be told from an empty tensor.
    """
    t = values(tensor, "one_hot")
    if t.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, but got {as_dtype(t.dtype)}; convert it "
            "with .long()"
        )
    if t.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor; give num_classes.")
    elif t.min() < 0:
        raise RuntimeError(f"Class values must be non-negative, but got {int(t.min())}.")
    elif num_classes == -1:
        num_classes = int(t.max()) + 1
    elif t.max() >= num_classes:
        raise RuntimeError(f"Class values must be smaller than num_classes={num_classes}, but got {int(t.max())}.")
    y = np.zeros((*t.shape, num_classes), np.int64)
    np.put_along_axis(y, t[..., None], 1, axis=-1)
    return Tensor._wrap(y) if isinstance(tensor, Tensor) else y


class Embedding(Module):
    """A learned table of ``num_embeddings`` vectors of ``embedding_dim`` numbers; see ``embedding``.

    The weight starts standard normal, with zeros in row ``padding_idx``.
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_row(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = new_table(num_embeddings, embedding_dim, _weight, dtype, device)
        if _freeze:
            self.weight.requires_grad_(False)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, and zero the padding row."""
        reset_table(self.weight, self.padding_idx)

    def forward(self, input: Any) -> Any:
        return embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        if self.sparse is not False:
            parts.append("sparse=True")
        return ", ".join(parts)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding of these vectors (V, D), whose memory it shares; ``freeze=False`` trains them."""
        rows, columns = table_size(embeddings)
        return cls(
            rows,
            columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


# -- what the Modules share ------------------------------------------------------------------------------------


def new_table(rows: int, columns: int, given: Tensor | None, dtype: Any, device: Any) -> Parameter:
    """The weight of an embedding, (rows, columns): the given one, or memory to be filled."""
    if given is None:
        return Parameter(empty(rows, columns, dtype=dtype, device=device))
    if tuple(given.shape) != (rows, columns):
        raise AssertionError(
            f"Shape of weight does not match num_embeddings and embedding_dim: got {list(given.shape)}, wanted "
            f"{[rows, columns]}"
        )
    return Parameter(given)


@no_grad()
def reset_table(weight: Tensor, padding_idx: int | None) -> None:
    """Standard normal values, zeros in the padding row."""
    init.normal_(weight)
    if padding_idx is not None:
        weight[padding_idx] = 0


def table_size(embeddings: Tensor) -> tuple[int, int]:
    """(V, D) of pretrained vectors. Raises AssertionError unless they form a matrix."""
    if embeddings.ndim != 2:
        raise AssertionError(
            f"Embeddings parameter is expected to be 2-dimensional, but got shape {list(embeddings.shape)}"
        )
    rows, columns = embeddings.shape
    return rows, columns
