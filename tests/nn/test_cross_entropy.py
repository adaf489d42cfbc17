"""The protocol for ``ndl.nn.cross_entropy``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.cross_entropy")
