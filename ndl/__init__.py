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
from ndl.nn.affine_grid import affine_grid_generator
from ndl.nn.bilinear import bilinear
from ndl.nn.cdist import cdist, pdist
from ndl.nn.distance import cosine_similarity, pairwise_distance
from ndl.nn.functional import (
    alpha_dropout,
    batch_norm,
    celu,
    celu_,
    channel_shuffle,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    dropout,
    feature_alpha_dropout,
    hardshrink,
    log_softmax,
    native_channel_shuffle,
    pixel_shuffle,
    pixel_unshuffle,
    prelu,
    relu,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    softmax,
    threshold,
    threshold_,
)
from ndl.nn.grid_sample import grid_sampler, grid_sampler_2d, grid_sampler_3d
from ndl.ops import *
from ndl.ops.constants import e, inf, nan, newaxis, pi
from ndl.ops.promotion import result_type
from ndl.ops.random import *
from ndl.version import __version__

__getattr__ = attach(
    __name__,
    {
        "BoolTensor": "ndl.ops.typed_tensors",
        "ByteTensor": "ndl.ops.typed_tensors",
        "CharTensor": "ndl.ops.typed_tensors",
        "DoubleTensor": "ndl.ops.typed_tensors",
        "FloatTensor": "ndl.ops.typed_tensors",
        "HalfTensor": "ndl.ops.typed_tensors",
        "IntTensor": "ndl.ops.typed_tensors",
        "LongTensor": "ndl.ops.typed_tensors",
        "ShortTensor": "ndl.ops.typed_tensors",
        "accelerator": "ndl.accelerator",
        "amp": "ndl.amp",
        "are_deterministic_algorithms_enabled": "ndl.settings",
        "autocast": "ndl.amp.autocast",
        "backends": "ndl.backends",
        "bfloat16": "ndl.autograd.absent_dtypes",
        "cdouble": "ndl.autograd.dtypes",
        "cfloat": "ndl.autograd.dtypes",
        "compile": "ndl.jit",
        "complex128": "ndl.autograd.dtypes",
        "complex64": "ndl.autograd.dtypes",
        "cuda": "ndl.cuda",
        "distributions": "ndl.distributions",
        "get_float32_matmul_precision": "ndl.settings",
        "get_num_interop_threads": "ndl.settings",
        "is_anomaly_check_nan_enabled": "ndl.autograd.anomaly",
        "is_anomaly_enabled": "ndl.autograd.anomaly",
        "is_complex": "ndl.ops.questions",
        "is_deterministic_algorithms_warn_only_enabled": "ndl.settings",
        "is_floating_point": "ndl.ops.questions",
        "is_inference": "ndl.ops.questions",
        "is_same_size": "ndl.ops.questions",
        "is_signed": "ndl.ops.questions",
        "jit": "ndl.jit",
        "layout": "ndl.ops.placement",
        "linalg": "ndl.linalg",
        "load": "ndl.utils.serialization",
        "numel": "ndl.ops.questions",
        "optim": "ndl.optim",
        "save": "ndl.utils.serialization",
        "set_default_device": "ndl.settings",
        "set_default_tensor_type": "ndl.settings",
        "set_float32_matmul_precision": "ndl.settings",
        "set_flush_denormal": "ndl.settings",
        "set_num_interop_threads": "ndl.settings",
        "strided": "ndl.ops.placement",
        "use_deterministic_algorithms": "ndl.settings",
        "utils": "ndl.utils",
        "version": "ndl.version",
        "verify": "ndl.verify",
    },
)
