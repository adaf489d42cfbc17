"""Memory that several tensors share, and what nodes keep: the cases of ``ndl.autograd.views`` and ``ndl.autograd.graph``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("autograd", examples=10)
