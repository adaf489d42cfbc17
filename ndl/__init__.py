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
from ndl.lazy import attach, by_room
from ndl.ops import *
from ndl.ops import return_types
from ndl.ops.constants import e, inf, nan, newaxis, pi
from ndl.ops.promotion import result_type
from ndl.ops.random import *
from ndl.version import __version__

FROM_NN = {
    "activation": "relu relu_ threshold threshold_",
    "activation_elu": "celu celu_ selu selu_",
    "activation_hard": "hardshrink",
    "activation_leaky": "prelu rrelu rrelu_",
    "adaptive_pool": "adaptive_avg_pool1d adaptive_max_pool1d",
    "affine_grid": "affine_grid_generator",
    "avg_pool": "avg_pool1d",
    "bilinear": "bilinear",
    "cdist": "cdist pdist",
    "conv": "conv1d conv2d conv3d",
    "conv_transpose": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "distance": "cosine_similarity pairwise_distance",
    "dropout": "alpha_dropout dropout feature_alpha_dropout",
    "grid_sample": "grid_sampler grid_sampler_2d grid_sampler_3d",
    "groupnorm": "group_norm",
    "layernorm": "layer_norm",
    "max_pool": "max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
    "pixel_shuffle": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "rmsnorm": "rms_norm",
    "softmax": "log_softmax softmax",
}

__getattr__, __dir__ = attach(
    __name__,
    {
        **by_room("ndl.nn", FROM_NN),
        "BoolTensor": "ndl.ops.typed_tensors",
        "ByteTensor": "ndl.ops.typed_tensors",
        "CharTensor": "ndl.ops.typed_tensors",
        "DoubleTensor": "ndl.ops.typed_tensors",
        "FloatTensor": "ndl.ops.typed_tensors",
        "HalfTensor": "ndl.ops.typed_tensors",
        "IntTensor": "ndl.ops.typed_tensors",
        "LongTensor": "ndl.ops.typed_tensors",
        "ShortTensor": "ndl.ops.typed_tensors",
        "GradScaler": "ndl.amp.grad_scaler",
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
        "distributed": "ndl.distributed",
        "distributions": "ndl.distributions",
        "func": "ndl.func",
        "get_default_device": "ndl.settings",
        "get_float32_matmul_precision": "ndl.settings",
        "get_num_interop_threads": "ndl.settings",
        "is_anomaly_check_nan_enabled": "ndl.autograd.anomaly",
        "is_anomaly_enabled": "ndl.autograd.anomaly",
        "is_autocast_enabled": "ndl.amp.autocast",
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
        "multiprocessing": "ndl.multiprocessing",
        "numel": "ndl.ops.questions",
        "random": "ndl.random",
        "optim": "ndl.optim",
        "save": "ndl.utils.serialization",
        "set_default_device": "ndl.settings",
        "set_default_tensor_type": "ndl.settings",
        "set_float32_matmul_precision": "ndl.settings",
        "set_flush_denormal": "ndl.settings",
        "set_num_interop_threads": "ndl.settings",
        "special": "ndl.special",
        "strided": "ndl.ops.placement",
        "use_deterministic_algorithms": "ndl.settings",
        "utils": "ndl.utils",
        "version": "ndl.version",
        "verify": "ndl.verify",
    },
)[:2]
