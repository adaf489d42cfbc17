"""The protocol for ``ndl.nn.linear``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.linear")
