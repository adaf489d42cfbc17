"""Floor 2: differentiable operations on tensors, under PyTorch's names."""

from ndl.ops import table
from ndl.ops.arithmetic import *
from ndl.ops.conversion import *
from ndl.ops.creation import *
from ndl.ops.products import *
