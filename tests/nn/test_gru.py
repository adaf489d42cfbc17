"""The protocol for ``ndl.nn.gru``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.gru", 20)
