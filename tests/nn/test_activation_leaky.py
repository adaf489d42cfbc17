"""The protocol for ``ndl.nn.activation_leaky``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.activation_leaky")
