"""Floor 3: building blocks, one file for each family: the math, the function and the Module together."""

from ndl.nn import functional, init, table
from ndl.nn.activation import ReLU, Sigmoid, Tanh
from ndl.nn.adaptive_pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from ndl.nn.avg_pool import AvgPool1d, AvgPool2d, AvgPool3d, LPPool1d, LPPool2d, LPPool3d
from ndl.nn.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ndl.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from ndl.nn.conv import Conv1d, Conv2d, Conv3d
from ndl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ndl.nn.dropout import Dropout
from ndl.nn.flatten import Flatten, Unflatten
from ndl.nn.linear import Identity, Linear
from ndl.nn.loss import CrossEntropyLoss, L1Loss, MSELoss, NLLLoss
from ndl.nn.max_pool import MaxPool1d, MaxPool2d, MaxPool3d
from ndl.nn.max_unpool import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from ndl.nn.module import Module
from ndl.nn.parameter import Buffer, Parameter
from ndl.nn.softmax import LogSoftmax, Softmax
from ndl.nn.unfold import Fold, Unfold

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Fold",
    "Unfold",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Buffer",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "L1Loss",
    "LogSoftmax",
    "MSELoss",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "table",
]
