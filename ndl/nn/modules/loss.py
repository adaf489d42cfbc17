"""PyTorch's place for losses: ``nn.modules.loss``."""

from ndl.nn.binary_loss import BCELoss, BCEWithLogitsLoss, MultiLabelSoftMarginLoss, SoftMarginLoss
from ndl.nn.cross_entropy import CrossEntropyLoss, NLLLoss
from ndl.nn.ctc import CTCLoss
from ndl.nn.embedding_loss import CosineEmbeddingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss
from ndl.nn.likelihood_loss import GaussianNLLLoss, KLDivLoss, PoissonNLLLoss
from ndl.nn.margin_loss import HingeEmbeddingLoss, MarginRankingLoss, MultiLabelMarginLoss, MultiMarginLoss
from ndl.nn.regression_loss import HuberLoss, L1Loss, MSELoss, SmoothL1Loss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]
