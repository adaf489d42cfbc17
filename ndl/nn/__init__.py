"""Floor 3: building blocks, one file for each family: the math, the function and the Module together."""

from ndl.nn import functional, init, modules, table, utils
from ndl.nn.activation import ReLU, Threshold
from ndl.nn.activation_elu import CELU, ELU, SELU
from ndl.nn.activation_gated import GELU, GLU, Mish, SiLU
from ndl.nn.activation_hard import Hardshrink, Hardsigmoid, Hardswish, Hardtanh, ReLU6, Softshrink
from ndl.nn.activation_leaky import LeakyReLU, PReLU, RReLU
from ndl.nn.activation_sigmoid import LogSigmoid, Sigmoid, Softplus, Softsign, Tanh, Tanhshrink
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
from ndl.nn.bilinear import Bilinear
from ndl.nn.binary_loss import BCELoss, BCEWithLogitsLoss, MultiLabelSoftMarginLoss, SoftMarginLoss
from ndl.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from ndl.nn.conv import Conv1d, Conv2d, Conv3d
from ndl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ndl.nn.cross_entropy import CrossEntropyLoss, NLLLoss
from ndl.nn.ctc import CTCLoss
from ndl.nn.distance import CosineSimilarity, PairwiseDistance
from ndl.nn.dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from ndl.nn.embedding import Embedding
from ndl.nn.embedding_bag import EmbeddingBag
from ndl.nn.embedding_loss import CosineEmbeddingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss
from ndl.nn.flatten import Flatten, Unflatten
from ndl.nn.groupnorm import GroupNorm
from ndl.nn.gru import GRU, GRUCell
from ndl.nn.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from ndl.nn.layernorm import LayerNorm
from ndl.nn.lazy import (
    LazyBatchNorm1d,
    LazyBatchNorm2d,
    LazyBatchNorm3d,
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
    LazyInstanceNorm1d,
    LazyInstanceNorm2d,
    LazyInstanceNorm3d,
    LazyLinear,
)
from ndl.nn.interpolate import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d
from ndl.nn.likelihood_loss import GaussianNLLLoss, KLDivLoss, PoissonNLLLoss
from ndl.nn.linear import Identity, Linear
from ndl.nn.lstm import LSTM, LSTMCell
from ndl.nn.local_response_norm import LocalResponseNorm
from ndl.nn.margin_loss import HingeEmbeddingLoss, MarginRankingLoss, MultiLabelMarginLoss, MultiMarginLoss
from ndl.nn.max_pool import MaxPool1d, MaxPool2d, MaxPool3d
from ndl.nn.max_unpool import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from ndl.nn.module import Module
from ndl.nn.multihead_attention import MultiheadAttention
from ndl.nn.padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from ndl.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from ndl.nn.pixel_shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from ndl.nn.regression_loss import HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from ndl.nn.rmsnorm import RMSNorm
from ndl.nn.recurrent import RNNBase, RNNCellBase
from ndl.nn.rnn import RNN, RNNCell
from ndl.nn.softmax import LogSoftmax, Softmax, Softmax2d, Softmin
from ndl.nn.transformer import Transformer, TransformerDecoder, TransformerEncoder
from ndl.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer
from ndl.nn.unfold import Fold, Unfold

__all__ = [
    "modules",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "UninitializedBuffer",
    "UninitializedParameter",
    "RMSNorm",
    "LocalResponseNorm",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
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
    "ChannelShuffle",
    "PixelShuffle",
    "PixelUnshuffle",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
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
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Bilinear",
    "CosineSimilarity",
    "PairwiseDistance",
    "Dropout",
    "AlphaDropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "Identity",
    "L1Loss",
    "LogSoftmax",
    "MSELoss",
    "Linear",
    "Module",
    "MultiheadAttention",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RNN",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "LSTM",
    "LSTMCell",
    "GRU",
    "GRUCell",
    "ReLU",
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
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "table",
    "utils",
]
