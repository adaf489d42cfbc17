"""The protocol for ``ndl.ops.products``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.products")
