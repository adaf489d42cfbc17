"""Floor 2: differentiable operations on tensors, under PyTorch's names."""

import types

from ndl.ops import return_types, table
from ndl.ops.arithmetic import *
from ndl.ops.axes import *
from ndl.ops.combinations import *
from ndl.ops.comparison import *
from ndl.ops.conversion import *
from ndl.ops.counting import *
from ndl.ops.creation import *
from ndl.ops.cross_product import *
from ndl.ops.cumulative import *
from ndl.ops.division import *
from ndl.ops.elementary import *
from ndl.ops.extrema import *
from ndl.ops.gathering import *
from ndl.ops.hyperbolic import *
from ndl.ops.indexing import *
from ndl.ops.joining import *
from ndl.ops.logic import *
from ndl.ops.masking import *
from ndl.ops.max_min import *
from ndl.ops.norms import *
from ndl.ops.powers import *
from ndl.ops.products import *
from ndl.ops.quantiles import *
from ndl.ops.reduction import *
from ndl.ops.repeating import *
from ndl.ops.rounding import *
from ndl.ops.scattering import *
from ndl.ops.selection import *
from ndl.ops.shape import *
from ndl.ops.slices import *
from ndl.ops.sorting import *
from ndl.ops.special import *
from ndl.ops.splitting import *
from ndl.ops.statistics import *
from ndl.ops.triangle import *
from ndl.ops.trigonometry import *
from ndl.ops.turning import *
from ndl.ops.uniques import *
from ndl.ops.windows import *
from ndl.ops.writing import *

# Not the rooms: ndl.linalg, ndl.random and ndl.special are faces of their own.
__all__ = [
    name for name, value in list(globals().items()) if name[0] != "_" and not isinstance(value, types.ModuleType)
]
