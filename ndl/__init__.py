"""ndl, the PyTorch you can read: deep learning in pure NumPy, every backward pass derived by hand.

``import ndl`` gives PyTorch's names: tensors and their operations here, building blocks in ``ndl.nn``, optimisers in
``ndl.optim``, data loading in ``ndl.utils.data``.
"""

from ndl import autograd, nn
from ndl.autograd import (
    Tensor,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from ndl.autograd.device import device
from ndl.autograd.dtypes import bool_ as bool
from ndl.autograd.dtypes import (
    can_cast,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ndl.autograd.dtypes import float16 as half
from ndl.autograd.dtypes import float32 as float
from ndl.autograd.dtypes import float64 as double
from ndl.autograd.dtypes import int16 as short
from ndl.autograd.dtypes import int32 as int
from ndl.autograd.dtypes import int64 as long
from ndl.autograd.grad_mode import is_inference_mode_enabled
from ndl.autograd.printing import set_printoptions
from ndl.autograd.size import Size
from ndl.kernels.threads import get_num_threads, set_num_threads
from ndl.lazy import attach
from ndl.nn.functional import (
    batch_norm,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    dropout,
    log_softmax,
    relu,
    relu_,
    softmax,
)
from ndl.ops import *
from ndl.ops.constants import e, inf, nan, newaxis, pi
from ndl.ops.promotion import result_type
from ndl.ops.random import *

__version__ = "0.1.0"

__getattr__ = attach(
    __name__,
    {
        "cuda": "ndl.cuda",
        "linalg": "ndl.linalg",
        "load": "ndl.utils.serialization",
        "optim": "ndl.optim",
        "save": "ndl.utils.serialization",
        "utils": "ndl.utils",
    },
)
