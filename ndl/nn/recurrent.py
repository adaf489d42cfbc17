"""What RNN, LSTM and GRU share: layers, directions, dropout between layers, parameters and their names, packing.

A layer in one direction is a Function over a whole packed sequence, which the room of each kind defines. Of layer l and
direction d the state is number l · D + d of h_0 and h_n (D = 1 or 2 directions). A layer sees the outputs of both
directions of the one below, side by side, and dropout lies between layers, not after the last. h_n is what each sequence
ended with: after its last step forward, after its first step in reverse.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.nn import init
from ndl.nn.dropout import dropout
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter
from ndl.nn.utils.rnn import PackedSequence
from ndl.ops.creation import empty
from ndl.ops.joining import cat, stack

__all__ = ["RNNBase", "RNNCellBase"]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """Parameters and options of a recurrent network; ``RNN``, ``LSTM`` and ``GRU`` say what one layer computes.

    Parameters of layer l, those of the reverse direction with ``_reverse`` after the name, G gates:
    ``weight_ih_l[l]`` (G·H, features of the layer's input), ``weight_hh_l[l]`` (G·H, H), ``bias_ih_l[l]`` and
    ``bias_hh_l[l]`` (G·H). All start uniform in ±1/√H.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        directions = 2 if bidirectional else 1
        size = GATES[mode] * hidden_size
        state_size = proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            features = input_size if layer == 0 else state_size * directions
            for suffix in ("", "_reverse")[:directions]:
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (size, features), "weight_hh": (size, state_size)}
                if bias:
                    shapes |= {"bias_ih": (size,), "bias_hh": (size,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values()):
                    self.register_parameter(name, Parameter(empty(shape, dtype=dtype, device=device)))
                self._all_weights.append(names)
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= self.dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed, "
                f"but got {dropout!r}"
            )
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero, but got {getattr(self, name)}")
        if self.proj_size < 0:
            raise ValueError(
                f"proj_size should be a positive integer or zero to disable projections, but got {self.proj_size}"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError(
                f"proj_size has to be smaller than hidden_size, but got {self.proj_size} and {self.hidden_size}"
            )
        if self.mode not in GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}; there are {list(GATES)}")

    def reset_parameters(self) -> None:
        """Draw new values, uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: in PyTorch it arranges the weights for a GPU."""

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False
        }  # fmt: skip
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text

    # -- what comes in -----------------------------------------------------------------------------------------

    def check_input(self, input: Tensor, batch_sizes: Any) -> None:
        """Raise ValueError for another type than the weights', RuntimeError for another shape than wanted."""
        wanted = self.all_weights[0][0].dtype
        if input.dtype != wanted:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({wanted}). Convert input: "
                f"input.to({wanted}), or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Any) -> tuple[int, int, int]:
        """(layers · directions, batch, features of h)."""
        batch = input.size(0 if self.batch_first else 1) if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise RuntimeError unless the state has this size."""
        if tuple(hx.size()) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Any) -> None:
        """Check the input and the state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state (…, B, …) with its sequences in another order."""
        return _reordered(hx, permutation)

    # -- the network -------------------------------------------------------------------------------------------

    def _layer(self, x: Tensor, states: Sequence[Tensor | None], weights: list, sizes: tuple, reverse: bool) -> tuple:
        """One layer in one direction: packed x (N, I) -> y (N, P) and the last states (B, …)."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def _layers(self, x: Tensor, hx: tuple | None, sizes: tuple) -> tuple[Tensor, list[Tensor]]:
        """All layers: packed x (N, I), states (L·D, B, …) or None -> y (N, D·P) and the last states."""
        directions = 2 if self.bidirectional else 1
        kinds = 2 if self.mode == "LSTM" else 1
        starts = [[None] * len(self._all_weights)] * kinds if hx is None else [s.unbind(0) for s in hx]
        ends = []
        for nr, weights in enumerate(self.all_weights):
            direction = nr % directions
            if direction == 0:
                outputs = []
            y, *end = self._layer(x, [s[nr] for s in starts], weights, sizes, reverse=direction == 1)
            outputs.append(y)
            ends.append(end)
            if direction == directions - 1:
                x = outputs[0] if directions == 1 else cat(outputs, 1)
                if nr + 1 < len(self._all_weights):
                    x = dropout(x, self.dropout, self.training)
        return x, [stack(list(same), 0) for same in zip(*ends)]

    def _run(self, input: Any, hx: tuple | None) -> tuple[Any, list[Tensor]]:
        """All that is the same for the three kinds: a sequence, batched, unbatched or packed, through all layers.

        ``hx`` is a tuple of the states, or None.
        """
        if isinstance(input, PackedSequence):
            x, batch_sizes, order, back = input
            if hx is not None:
                hx = tuple(_reordered(s, order) for s in hx)
            self._check(x, hx, batch_sizes)
            y, ends = self._layers(x, hx, tuple(batch_sizes.tolist()))
            return PackedSequence(y, batch_sizes, order, back), [_reordered(s, back) for s in ends]
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched, batch_dim = input.dim() == 3, 0 if self.batch_first else 1
        for s in hx or ():
            if s.dim() != input.dim():
                kind = "batched 3-D" if batched else "unbatched 2-D"
                raise RuntimeError(f"For {kind} input, hx should also be {input.dim()}-D but got {s.dim()}-D tensor")
        if not batched:
            input = input.unsqueeze(batch_dim)
            hx = None if hx is None else tuple(s.unsqueeze(1) for s in hx)
        self._check(input, hx, None)
        if self.batch_first:
            input = input.transpose(0, 1)
        T, B, features = input.shape
        if T == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        y, ends = self._layers(input.reshape(T * B, features), hx, (B,) * T)
        y = y.reshape(T, B, y.shape[1])
        if self.batch_first:
            y = y.transpose(0, 1)
        if not batched:
            return y.squeeze(batch_dim), [s.squeeze(1) for s in ends]
        return y, ends

    def _check(self, input: Tensor, hx: tuple | None, batch_sizes: Any) -> None:
        """Raise for an input or states that do not fit."""
        if hx is None:
            self.check_input(input, batch_sizes)
            return
        self.check_forward_args(input, hx if self.mode == "LSTM" else hx[0], batch_sizes)
        for s in hx:
            if s.dtype != input.dtype:
                raise RuntimeError(
                    f"mat1 and mat2 must have the same dtype, but got a state of {s.dtype} and input of {input.dtype}; "
                    "convert one with .to(dtype)"
                )


def _reordered(state: Tensor, permutation: Tensor | None) -> Tensor:
    return state if permutation is None else state.index_select(1, permutation)


def refuse_projection(options: dict) -> None:
    """Raise ValueError if ``proj_size`` is among the options of a network that has no projection."""
    if "proj_size" in options:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNNCellBase(Module):
    """Parameters of one step of a recurrent network: ``weight_ih`` (G·H, I), ``weight_hh`` (G·H, H), and two biases."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        size = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(size, input_size, dtype=dtype, device=device))
        self.weight_hh = Parameter(empty(size, hidden_size, dtype=dtype, device=device))
        self.register_parameter("bias_ih", Parameter(empty(size, dtype=dtype, device=device)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(size, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _checked(self, input: Tensor, states: Sequence[Tensor | None]) -> tuple[Tensor, list[Tensor | None], bool]:
        """Input (B, I) and states (B, H) or None, and whether they came in a batch; raises for what does not fit."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for nr, s in enumerate(states):
            if s is not None and s.dim() not in (1, 2):
                what = "hidden" if len(states) == 1 else f"hx[{nr}]"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {s.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            states = [s if s is None else s.unsqueeze(0) for s in states]
        if input.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)}, expected {self.input_size}")
        for nr, s in enumerate(states):
            if s is None:
                continue
            if s.size(0) != input.size(0):
                raise RuntimeError(f"Input batch size {input.size(0)} doesn't match hidden{nr} batch size {s.size(0)}")
            if s.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{nr} has inconsistent hidden_size: got {s.size(1)}, expected {self.hidden_size}"
                )
        for t in (input, *states):
            if t is not None and t.dtype != self.weight_ih.dtype:
                raise RuntimeError(
                    f"mat1 and mat2 must have the same dtype, but got {t.dtype} and weights of {self.weight_ih.dtype}; "
                    "convert one with .to(dtype)"
                )
        return input, list(states), batched

    def _weights(self) -> list:
        return [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
