"""The protocol for ``ndl.nn.dropout``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.dropout")
