"""The protocol for ``ndl.nn.activation_gated``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.activation_gated")
