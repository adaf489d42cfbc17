"""PyTorch's place for the adaptive softmax: ``nn.modules.adaptive``."""

from ndl.nn.adaptive_log_softmax import AdaptiveLogSoftmaxWithLoss

__all__ = ["AdaptiveLogSoftmaxWithLoss"]
