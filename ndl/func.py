"""What is here of ``torch.func``: a face of ``ndl.nn.utils.stateless``."""

from ndl.nn.utils.stateless import functional_call

__all__ = ["functional_call"]
