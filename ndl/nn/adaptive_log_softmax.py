"""Adaptive softmax: a softmax over very many classes, most of them rare, in clusters.

The classes are sorted, the most frequent first, and cut at c_1 < c_2 < … < c_k, the last of them the number of classes C.
The head, a softmax over the c_1 frequent classes and one entry for each cluster of rare ones, is computed for every
example; a cluster's own softmax for its own examples only, from fewer features, I / dⁱ for the i-th:

    log p(t) = log softmax(h x)_t                                                   for t < c_1
             = log softmax(h x)_{c_1 + i − 1} + log softmax(B_i A_i x)_{t − c_i}    for c_i ≤ t < c_{i+1}

The loss is the mean of −log p(t). Gradients are those of ``linear`` and ``log_softmax``. Grave et al., "Efficient softmax
approximation for GPUs", 2017.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.nn.containers import ModuleList, Sequential
from ndl.nn.linear import Linear
from ndl.nn.loss import check_not_empty
from ndl.nn.module import Module
from ndl.nn.softmax import log_softmax
from ndl.ops.joining import cat
from ndl.ops.promotion import array_of

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of the targets, and their loss, over many classes in clusters; see the module's text.

    Args:
        in_features: features I of the input.
        n_classes: classes C; the most frequent is 0.
        cutoffs: where the clusters begin, rising, each from 1 to n_classes − 1.
        div_value: d, by which the features of each cluster are fewer than those of the one before.
        head_bias: whether the head has a bias.

    Called with x (N, I) and classes t (N), or (I) and one class, it returns ``output``, log p(t), of the shape of t, and
    ``loss``, a number. Raises RuntimeError for other shapes and classes that are not there, ValueError for an empty batch
    and for cutoffs that do not rise.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or not 0 < cutoffs[0] <= cutoffs[-1] < n_classes
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value "
                f"is between 1 and n_classes-1, but got {cutoffs} for {n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        new = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **new)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            features = int(in_features // div_value ** (i + 1))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            inner = Linear(in_features, features, bias=False, **new)
            self.tail.append(Sequential(inner, Linear(features, classes, bias=False, **new)))

    def reset_parameters(self) -> None:
        """Draw new values for all the linear maps."""
        for layer in self.modules():
            if isinstance(layer, Linear):
                layer.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> Any:
        x, t = (input_, target_) if target_.ndim else (input_[None], target_.reshape(1))
        self._check(array_of(input_), array_of(target_))
        classes = array_of(t)
        cluster = np.searchsorted(self.cutoffs, classes, side="right")  # (N,) 0 for the frequent classes
        entry = np.where(cluster == 0, classes, self.shortlist_size + cluster - 1)  # (N,) in the head
        output = _picked(log_softmax(self.head(x), 1), entry)  # (N,)
        for i, tail in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)  # (n,)
            if rows.size:
                own = log_softmax(tail(x[rows]), 1)  # (n, classes of the cluster)
                output = output.index_add(0, Tensor._wrap(rows), _picked(own, classes[rows] - self.cutoffs[i]))
        loss = (-output).mean()
        return _ASMoutput(output if target_.ndim else output.squeeze(0), loss)

    def _check(self, x: np.ndarray, t: np.ndarray) -> None:
        check_not_empty("AdaptiveLogSoftmaxWithLoss", t.size, "mean")
        if t.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if t.ndim == 1 and len(x) != len(t):
            raise RuntimeError(
                f"Input and target should have the same size in the batch dimension, but got {len(x)} and {len(t)}"
            )
        if x.ndim != t.ndim + 1:
            raise RuntimeError(
                f"{t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with size {list(x.shape)}"
            )
        if t.dtype != np.int64:
            raise RuntimeError(f"target tensor should be int64, but got {t.dtype}; convert it with .long()")
        if t.size and (t.min() < 0 or t.max() >= self.n_classes):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{t.min()}, {t.max()}] were "
                "found."
            )

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes: (N, I) -> (N, C)."""
        return self._all(input, log_softmax(self.head(input), 1))

    def _all(self, x: Any, head: Any) -> Any:
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            entry = self.shortlist_size + i
            parts.append(log_softmax(tail(x), 1) + head[:, entry : entry + 1])  # (N, classes of the cluster)
        return cat(parts, 1)

    def predict(self, input: Any) -> Any:
        """The most probable class of each example: (N, I) -> (N). A cluster is computed only where the head prefers one."""
        head = log_softmax(self.head(input), 1)
        best = head.argmax(1)
        rare = best >= self.shortlist_size
        if rare.any():
            best[rare] = self._all(input[rare], head[rare]).argmax(1)
        return best


def _picked(l: Any, index: np.ndarray) -> Any:
    """l_n,index[n]: (N, K), (N) -> (N)."""
    return l.gather(1, Tensor._wrap(index[:, None])).squeeze(1)
