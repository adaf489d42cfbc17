"""2-d convolution as a ladder: four loops, three, two, im2col, tiled im2col, shifted products, Winograd.

Every rung is a module with the same three functions, ``forward``, ``input_grad`` and ``weight_grad``;
``choose`` knows which one is the fastest.
"""
