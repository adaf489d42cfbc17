"""PyTorch's place for embeddings: ``nn.modules.sparse``."""

from ndl.nn.embedding import Embedding
from ndl.nn.embedding_bag import EmbeddingBag

__all__ = ["Embedding", "EmbeddingBag"]
