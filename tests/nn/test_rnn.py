"""The protocol for ``ndl.nn.rnn``."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.rnn", 20)
