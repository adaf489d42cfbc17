"""The special functions that NumPy lacks, in pure NumPy: arrays of float16, float32 or float64 in, the same out.

Each takes ``out=``, which may be the argument itself, and keeps the memory order of its argument.
"""

from ndl.kernels.erf import erf, erfc, erfinv
from ndl.kernels.gamma import digamma, lgamma
from ndl.kernels.sigmoid import log_sigmoid, sigmoid, softplus

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "log_sigmoid", "sigmoid", "softplus"]
