"""Every building block as a function: a face that hands on what the rooms of ``ndl.nn`` define."""

from ndl.nn.activation import relu, relu_, threshold, threshold_
from ndl.nn.activation_elu import celu, celu_, elu, elu_, selu, selu_
from ndl.nn.activation_gated import gelu, glu, mish, silu
from ndl.nn.activation_hard import hardshrink, hardsigmoid, hardswish, hardtanh, hardtanh_, relu6, softshrink
from ndl.nn.activation_leaky import leaky_relu, leaky_relu_, prelu, rrelu, rrelu_
from ndl.nn.activation_sigmoid import logsigmoid, sigmoid, softplus, softsign, tanh, tanhshrink
from ndl.nn.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices,
)
from ndl.nn.affine_grid import affine_grid
from ndl.nn.attention import scaled_dot_product_attention
from ndl.nn.avg_pool import avg_pool1d, avg_pool2d, avg_pool3d, lp_pool1d, lp_pool2d, lp_pool3d
from ndl.nn.batchnorm import batch_norm
from ndl.nn.bilinear import bilinear
from ndl.nn.binary_loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from ndl.nn.cdist import pdist
from ndl.nn.conv import conv1d, conv2d, conv3d
from ndl.nn.conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from ndl.nn.cross_entropy import cross_entropy, nll_loss
from ndl.nn.ctc import ctc_loss
from ndl.nn.distance import cosine_similarity, normalize, pairwise_distance
from ndl.nn.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from ndl.nn.embedding import embedding, one_hot
from ndl.nn.embedding_bag import embedding_bag
from ndl.nn.embedding_loss import cosine_embedding_loss, triplet_margin_loss, triplet_margin_with_distance_loss
from ndl.nn.grid_sample import grid_sample
from ndl.nn.interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from ndl.nn.likelihood_loss import gaussian_nll_loss, kl_div, poisson_nll_loss
from ndl.nn.groupnorm import group_norm
from ndl.nn.instancenorm import instance_norm
from ndl.nn.layernorm import layer_norm
from ndl.nn.linear import linear
from ndl.nn.local_response_norm import local_response_norm
from ndl.nn.margin_loss import hinge_embedding_loss, margin_ranking_loss, multi_margin_loss, multilabel_margin_loss
from ndl.nn.max_pool import (
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
    max_pool3d,
    max_pool3d_with_indices,
)
from ndl.nn.max_unpool import max_unpool1d, max_unpool2d, max_unpool3d
from ndl.nn.multihead_attention import multi_head_attention_forward
from ndl.nn.padding import pad
from ndl.nn.pixel_shuffle import channel_shuffle, native_channel_shuffle, pixel_shuffle, pixel_unshuffle
from ndl.nn.regression_loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from ndl.nn.rmsnorm import rms_norm
from ndl.nn.softmax import gumbel_softmax, log_softmax, softmax, softmin
from ndl.nn.unfold import fold, unfold

__all__ = [
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "fold",
    "unfold",
    "affine_grid",
    "channel_shuffle",
    "grid_sample",
    "interpolate",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
    "batch_norm",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "pad",
    "cross_entropy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "bilinear",
    "pdist",
    "ctc_loss",
    "cosine_similarity",
    "normalize",
    "pairwise_distance",
    "cosine_embedding_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "gaussian_nll_loss",
    "kl_div",
    "poisson_nll_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "huber_loss",
    "smooth_l1_loss",
    "dropout",
    "alpha_dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
    "embedding",
    "embedding_bag",
    "one_hot",
    "l1_loss",
    "linear",
    "log_softmax",
    "mse_loss",
    "multi_head_attention_forward",
    "nll_loss",
    "relu",
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "logsigmoid",
    "mish",
    "prelu",
    "relu6",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanhshrink",
    "threshold",
    "threshold_",
    "relu_",
    "scaled_dot_product_attention",
    "sigmoid",
    "softmax",
    "softmin",
    "gumbel_softmax",
    "tanh",
]
