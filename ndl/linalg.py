"""Norms and the cross product under the names of ``torch.linalg``: a face of ``ndl.ops.linalg`` and ``cross_product``."""

from ndl.ops.cross_product import linalg_cross as cross
from ndl.ops.linalg import matrix_norm, norm, vector_norm

__all__ = ["cross", "matrix_norm", "norm", "vector_norm"]
