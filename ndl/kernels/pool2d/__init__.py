"""Max and average pooling as a ladder: four loops, three, two, strided views, one axis after the other.

Every rung is a module with the same four functions, ``max_forward``, ``max_backward``, ``avg_forward`` and
``avg_backward``; ``choose`` knows which one is the fastest, and ``use_rung`` makes every pooling take the one you
name. The last two rungs take any number of axes.
"""

from ndl.kernels.pool2d.choose import RUNGS, rung, use_rung

__all__ = ["RUNGS", "rung", "use_rung"]
