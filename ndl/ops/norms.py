"""``norm`` and ``dist``: PyTorch's older names for ``linalg.vector_norm``, of one tensor and of a difference."""

from __future__ import annotations

from typing import Any

from ndl.ops.arithmetic import sub
from ndl.ops.linalg import matrix_norm, vector_norm
from ndl.ops.reduced_dims import numpy_names

__all__ = ["dist", "norm"]


@numpy_names
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """(Σ |input|^p)^(1/p) over ``dim``; p may be 0, ±∞, any number, or "fro" (2). Gradient: see ``VectorNorm``.

    Raises RuntimeError for integers and for other names of norms.
    """
    if isinstance(p, str) and p != "fro":
        return matrix_norm(input, p, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if p in (None, "fro") else p, dim, keepdim, dtype=dtype)


def dist(input: Any, other: Any, p: Any = 2) -> Any:
    """The p-norm of input − other. Gradient: that of the norm, with the other sign for ``other``."""
    return norm(sub(input, other), p)
