"""Floor 1: tensors that remember, and the backward pass."""

from ndl.autograd.engine import backward, grad
from ndl.autograd.function import ArrayFunction, Function, once_differentiable
from ndl.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from ndl.autograd.gradcheck import gradcheck, gradgradcheck
from ndl.autograd.tensor import Tensor

__all__ = [
    "ArrayFunction",
    "Function",
    "Tensor",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]
