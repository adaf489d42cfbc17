"""PyTorch's place for folding: ``nn.modules.fold``."""

from ndl.nn.unfold import Fold, Unfold

__all__ = ["Fold", "Unfold"]
