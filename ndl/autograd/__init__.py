"""Floor 1: tensors that remember, and the backward pass."""

from ndl.autograd import functional
from ndl.autograd.anomaly import detect_anomaly, set_detect_anomaly
from ndl.autograd.engine import backward, grad
from ndl.autograd.function import ArrayFunction, Function, once_differentiable
from ndl.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from ndl.autograd.gradcheck import gradcheck, gradgradcheck
from ndl.autograd.tensor import Tensor
from ndl.autograd.variable import Variable

__all__ = [
    "ArrayFunction",
    "Function",
    "Tensor",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]
