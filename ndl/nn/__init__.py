"""Floor 3: building blocks, one file for each family: the math, the function and the Module together.

A room is imported when a name of it is first asked for, so that ``import ndl`` stays as light as NumPy.
"""

from ndl.lazy import attach, by_room
from ndl.nn import table

ROOMS = {
    "activation": "ReLU Threshold",
    "activation_elu": "CELU ELU SELU",
    "activation_gated": "GELU GLU Mish SiLU",
    "activation_hard": "Hardshrink Hardsigmoid Hardswish Hardtanh ReLU6 Softshrink",
    "activation_leaky": "LeakyReLU PReLU RReLU",
    "activation_sigmoid": "LogSigmoid Sigmoid Softplus Softsign Tanh Tanhshrink",
    "adaptive_log_softmax": "AdaptiveLogSoftmaxWithLoss",
    "adaptive_pool": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d"
    ),
    "avg_pool": "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "bilinear": "Bilinear",
    "binary_loss": "BCELoss BCEWithLogitsLoss MultiLabelSoftMarginLoss SoftMarginLoss",
    "containers": "ModuleDict ModuleList Sequential",
    "conv": "Conv1d Conv2d Conv3d",
    "conv_transpose": "ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "cross_entropy": "CrossEntropyLoss NLLLoss",
    "ctc": "CTCLoss",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "embedding": "Embedding",
    "embedding_bag": "EmbeddingBag",
    "embedding_loss": "CosineEmbeddingLoss TripletMarginLoss TripletMarginWithDistanceLoss",
    "flatten": "Flatten Unflatten",
    "groupnorm": "GroupNorm",
    "gru": "GRU GRUCell",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d",
    "interpolate": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "layernorm": "LayerNorm",
    "lazy": (
        "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d "
        "LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d "
        "LazyLinear"
    ),
    "likelihood_loss": "GaussianNLLLoss KLDivLoss PoissonNLLLoss",
    "linear": "Identity Linear",
    "local_response_norm": "LocalResponseNorm",
    "lstm": "LSTM LSTMCell",
    "margin_loss": "HingeEmbeddingLoss MarginRankingLoss MultiLabelMarginLoss MultiMarginLoss",
    "max_pool": "MaxPool1d MaxPool2d MaxPool3d",
    "max_unpool": "MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "module": "Module",
    "multihead_attention": "MultiheadAttention",
    "parallel": "DataParallel",
    "padding": (
        "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
        "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d "
        "ZeroPad2d ZeroPad3d"
    ),
    "parameter": "Buffer Parameter UninitializedBuffer UninitializedParameter",
    "parameter_containers": "ParameterDict ParameterList",
    "pixel_shuffle": "ChannelShuffle PixelShuffle PixelUnshuffle",
    "recurrent": "RNNBase RNNCellBase",
    "regression_loss": "HuberLoss L1Loss MSELoss SmoothL1Loss",
    "rmsnorm": "RMSNorm",
    "rnn": "RNN RNNCell",
    "softmax": "LogSoftmax Softmax Softmax2d Softmin",
    "transformer": "Transformer TransformerDecoder TransformerEncoder",
    "transformer_layers": "TransformerDecoderLayer TransformerEncoderLayer",
    "unfold": "Fold Unfold",
}
PLACES = {name: f"ndl.nn.{name}" for name in ("functional", "init", "modules", "parallel", "utils")}

__getattr__, __dir__, __all__ = attach(__name__, {**by_room("ndl.nn", ROOMS), **PLACES})
