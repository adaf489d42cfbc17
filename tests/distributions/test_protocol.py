"""The protocol for ``ndl.distributions``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("distributions")
