"""Every building block as a function: a face that hands on what the rooms of ``ndl.nn`` define."""

from ndl.nn.activation import relu, relu_, sigmoid, tanh
from ndl.nn.batchnorm import batch_norm
from ndl.nn.conv import conv1d, conv2d, conv3d
from ndl.nn.conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from ndl.nn.dropout import dropout
from ndl.nn.linear import linear
from ndl.nn.loss import cross_entropy, l1_loss, mse_loss, nll_loss
from ndl.nn.padding import pad
from ndl.nn.softmax import log_softmax, softmax

__all__ = [
    "batch_norm",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "pad",
    "cross_entropy",
    "dropout",
    "l1_loss",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "relu_",
    "sigmoid",
    "softmax",
    "tanh",
]
