"""Every building block as a function: a face that hands on what the rooms of ``ndl.nn`` define.

A room is imported when a name of it is first asked for, so that ``import ndl`` stays as light as NumPy.
"""

from ndl.lazy import attach, by_room

ROOMS = {
    "activation": "relu relu_ threshold threshold_",
    "activation_elu": "celu celu_ elu elu_ selu selu_",
    "activation_gated": "gelu glu mish silu",
    "activation_hard": "hardshrink hardsigmoid hardswish hardtanh hardtanh_ relu6 softshrink",
    "activation_leaky": "leaky_relu leaky_relu_ prelu rrelu rrelu_",
    "activation_sigmoid": "logsigmoid sigmoid softplus softsign tanh tanhshrink",
    "adaptive_pool": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d "
        "adaptive_max_pool1d_with_indices adaptive_max_pool2d adaptive_max_pool2d_with_indices "
        "adaptive_max_pool3d adaptive_max_pool3d_with_indices"
    ),
    "affine_grid": "affine_grid",
    "attention": "scaled_dot_product_attention",
    "avg_pool": "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d",
    "batchnorm": "batch_norm",
    "bilinear": "bilinear",
    "binary_loss": (
        "binary_cross_entropy binary_cross_entropy_with_logits multilabel_soft_margin_loss soft_margin_loss"
    ),
    "cdist": "pdist",
    "conv": "conv1d conv2d conv3d",
    "conv_transpose": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "cross_entropy": "cross_entropy nll_loss",
    "ctc": "ctc_loss",
    "distance": "cosine_similarity normalize pairwise_distance",
    "dropout": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
    "embedding": "embedding one_hot",
    "embedding_bag": "embedding_bag",
    "embedding_loss": "cosine_embedding_loss triplet_margin_loss triplet_margin_with_distance_loss",
    "grid_sample": "grid_sample",
    "groupnorm": "group_norm",
    "instancenorm": "instance_norm",
    "interpolate": "interpolate upsample upsample_bilinear upsample_nearest",
    "layernorm": "layer_norm",
    "likelihood_loss": "gaussian_nll_loss kl_div poisson_nll_loss",
    "linear": "linear",
    "local_response_norm": "local_response_norm",
    "margin_loss": "hinge_embedding_loss margin_ranking_loss multi_margin_loss multilabel_margin_loss",
    "max_pool": (
        "max_pool1d max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices"
    ),
    "max_unpool": "max_unpool1d max_unpool2d max_unpool3d",
    "multihead_attention": "multi_head_attention_forward",
    "padding": "pad",
    "pixel_shuffle": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "regression_loss": "huber_loss l1_loss mse_loss smooth_l1_loss",
    "rmsnorm": "rms_norm",
    "softmax": "gumbel_softmax log_softmax softmax softmin",
    "unfold": "fold unfold",
}

__getattr__, __dir__, __all__ = attach(__name__, by_room("ndl.nn", ROOMS))
