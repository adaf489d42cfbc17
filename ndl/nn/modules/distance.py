"""PyTorch's place for distances: ``nn.modules.distance``."""

from ndl.nn.distance import CosineSimilarity, PairwiseDistance

__all__ = ["CosineSimilarity", "PairwiseDistance"]
