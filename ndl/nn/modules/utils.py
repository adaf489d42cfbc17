"""PyTorch's place for what layers of one's own use: ``from torch.nn.modules.utils import _pair``."""

from ndl.nn.state import consume_prefix_in_state_dict_if_present
from ndl.nn.tuples import ntuple as _ntuple
from ndl.nn.tuples import pair as _pair
from ndl.nn.tuples import quadruple as _quadruple
from ndl.nn.tuples import reverse_repeat_tuple as _reverse_repeat_tuple
from ndl.nn.tuples import single as _single
from ndl.nn.tuples import triple as _triple

__all__ = [
    "_ntuple",
    "_pair",
    "_quadruple",
    "_reverse_repeat_tuple",
    "_single",
    "_triple",
    "consume_prefix_in_state_dict_if_present",
]
