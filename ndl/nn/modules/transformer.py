"""PyTorch's place for Transformers: ``nn.modules.transformer``."""

from ndl.nn.transformer import Transformer, TransformerDecoder, TransformerEncoder
from ndl.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]
