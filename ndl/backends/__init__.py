"""``ndl.backends``: the libraries that PyTorch may compute with, none of which is here. Their switches may be set."""

from ndl.backends import cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
