"""PyTorch's place for normalisation within samples: ``nn.modules.normalization``."""

from ndl.nn.groupnorm import GroupNorm
from ndl.nn.layernorm import LayerNorm
from ndl.nn.local_response_norm import LocalResponseNorm
from ndl.nn.rmsnorm import RMSNorm

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]
