"""Derivatives of functions under the name of ``torch.autograd.functional``: a face of ``ndl.autograd.derivatives``."""

from ndl.autograd.derivatives import hessian, hvp, jacobian, jvp, vhp, vjp

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
