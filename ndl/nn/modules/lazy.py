"""PyTorch's place for lazy modules: ``nn.modules.lazy``."""

from ndl.nn.lazy import LazyModuleMixin

__all__ = ["LazyModuleMixin"]
