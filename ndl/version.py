"""Which version this is, and what it was not built with."""

__version__ = "0.1.0"
cuda = None
hip = None
debug = False
