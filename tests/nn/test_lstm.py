"""The protocol for ``ndl.nn.lstm``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.lstm", 20)
