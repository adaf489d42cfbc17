"""Floor 0: arrays in, arrays out. The algorithms, without a Tensor or a gradient in sight.

Each module is one algorithm or one ladder of them, and is imported by its own name.
"""
