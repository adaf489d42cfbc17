"""PyTorch's place for channel shuffling: ``nn.modules.channelshuffle``."""

from ndl.nn.pixel_shuffle import ChannelShuffle

__all__ = ["ChannelShuffle"]
