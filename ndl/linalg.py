"""Norms under the names of ``torch.linalg``: a face of ``ndl.ops.linalg``."""

from ndl.ops.linalg import matrix_norm, norm, vector_norm

__all__ = ["matrix_norm", "norm", "vector_norm"]
