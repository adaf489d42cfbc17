"""PyTorch's place for the base class: ``nn.modules.module``."""

from ndl.nn.module import Module

__all__ = ["Module"]
