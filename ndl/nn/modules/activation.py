"""PyTorch's place for activations: ``nn.modules.activation``."""

from ndl.nn.activation import ReLU, Threshold
from ndl.nn.activation_elu import CELU, ELU, SELU
from ndl.nn.activation_gated import GELU, GLU, Mish, SiLU
from ndl.nn.activation_hard import Hardshrink, Hardsigmoid, Hardswish, Hardtanh, ReLU6, Softshrink
from ndl.nn.activation_leaky import LeakyReLU, PReLU, RReLU
from ndl.nn.activation_sigmoid import LogSigmoid, Sigmoid, Softplus, Softsign, Tanh, Tanhshrink
from ndl.nn.multihead_attention import MultiheadAttention
from ndl.nn.softmax import LogSoftmax, Softmax, Softmax2d, Softmin

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "MultiheadAttention",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]
