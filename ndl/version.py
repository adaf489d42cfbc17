"""Which version this is, whose interface it has, and what it was not built with."""

__version__ = "0.1.0"
interface = "2.13.0"  # the PyTorch that it is compared with
cuda = None
hip = None
debug = False
