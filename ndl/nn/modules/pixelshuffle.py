"""PyTorch's place for pixel shuffling: ``nn.modules.pixelshuffle``."""

from ndl.nn.pixel_shuffle import PixelShuffle, PixelUnshuffle

__all__ = ["PixelShuffle", "PixelUnshuffle"]
