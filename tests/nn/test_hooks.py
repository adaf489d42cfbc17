"""Backward hooks of modules; see test_module.py for the order in which all hooks are called."""

from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.hooks")
