"""ndl, the PyTorch you can read: deep learning in pure NumPy, every backward pass derived by hand."""

from ndl import autograd, nn, utils
from ndl.autograd import (
    Tensor,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from ndl.autograd.device import device
from ndl.autograd.dtypes import (
    can_cast,
    dtype,
    double,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ndl.autograd.dtypes import bool_ as bool
from ndl.autograd.dtypes import float_ as float
from ndl.autograd.dtypes import int_ as int
from ndl.autograd.grad_mode import is_inference_mode_enabled
from ndl.autograd.size import Size
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
from ndl.ops.random import *

__version__ = "0.1.0"
