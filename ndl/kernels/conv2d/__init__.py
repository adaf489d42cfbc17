"""2-d convolution as a ladder: four loops, three, two, im2col, tiled im2col, shifted products, Winograd.

Two more rungs are for the ends of the range: ``batch_last``, the batch innermost, for few channels, and ``fft``,
Fourier's transform, for large kernels.

Every rung is a module with the same three functions, ``forward``, ``input_grad`` and ``weight_grad``;
``choose`` knows which one is the fastest, and ``use_rung`` makes every convolution take the one you name.
"""

from ndl.kernels.conv2d.choose import RUNGS, rung, set_winograd, use_rung, winograd_allowed

__all__ = ["RUNGS", "rung", "set_winograd", "use_rung", "winograd_allowed"]
