"""PyTorch's place for upsampling: ``nn.modules.upsampling``."""

from ndl.nn.interpolate import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]
