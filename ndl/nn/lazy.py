"""Lazy modules: what they do not know about their input, they learn from the first batch.

``LazyLinear(10)`` has a weight without a shape (``UninitializedParameter``). Its first forward pass looks at the input,
gives the parameters their shapes, draws their values, and turns the module into a plain ``Linear``. A ``state_dict``
of a module that has been initialised can be loaded before that: it tells the shapes too.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from ndl.nn.batchnorm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from ndl.nn.conv import Conv1d, Conv2d, Conv3d, ConvNd
from ndl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, ConvTransposeNd
from ndl.nn.instancenorm import InstanceNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from ndl.nn.linear import Linear
from ndl.nn.module import Module
from ndl.nn.parameter import UninitializedBuffer, UninitializedParameter, UninitializedTensor
from ndl.ops.creation import tensor

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LazyModuleMixin",
]


class LazyModuleMixin(Module):
    """What makes a module lazy; name it before the module: ``class LazyLinear(LazyModuleMixin, Linear)``.

    A subclass defines ``initialize_parameters(*args)``, which gets what forward will get, and sets ``cls_to_become``.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self.register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and values, from the arguments of forward."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or a buffer has no shape yet."""
        own = chain(self._parameters.values(), self._buffers.values())
        return any(isinstance(t, UninitializedTensor) for t in own)

    def _lazy_load_hook(self, module: Any, state_dict: dict, prefix: str, *rest: Any) -> None:
        """A loaded value tells the shape of what has none."""
        for name, t in chain(module._parameters.items(), module._buffers.items()):
            value = state_dict.get(prefix + name)
            lazy = isinstance(t, UninitializedTensor)
            if lazy and value is not None and not isinstance(value, UninitializedTensor):
                t.materialize(value.shape)

    def _infer_parameters(self, module: Any, args: tuple, kwargs: dict) -> None:
        """Before the first forward: initialise, take the hooks away, become the plain class."""
        module.initialize_parameters(*args, **kwargs)
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {type(module).__name__} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        # Without any hook a call goes straight to forward.
        module.__dict__["_hooks"] = {kind: hooks for kind, hooks in module._hooks.items() if hooks}
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """``Linear`` that takes ``in_features`` from its first input."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new values, if there is something to draw."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:  # type: ignore[override]
        """``in_features`` is the input's last dimension."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            _materialize(self.weight, (self.out_features, self.in_features))
            _materialize(self.bias, (self.out_features,))
            self.reset_parameters()
        if self.in_features == 0:  # the shapes came from a state_dict
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to in_features from "
                    f"self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


def _materialize(t: Any, shape: tuple[int, ...]) -> None:
    if isinstance(t, UninitializedTensor):
        t.materialize(shape)


# -- convolutions ------------------------------------------------------------------------------------------------


class LazyConvolution(LazyModuleMixin):
    """What the six lazy convolutions share; C is taken from the first input."""

    n: int
    groups: int
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    weight: Any
    bias: Any

    def _without_shapes(self, out_channels: int, bias: bool, dtype: Any) -> None:
        self.out_channels = out_channels
        if out_channels % self.groups:
            raise ValueError(f"out_channels must be divisible by groups, but got {out_channels} and {self.groups}")
        self.weight = UninitializedParameter(dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new values, if there is something to draw."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """``in_channels`` is the input's C; raises RuntimeError unless it is (N, C, …) or (C, …)."""
        transposed = isinstance(self, ConvTransposeNd)
        if not self.has_uninitialized_params():
            if not self.in_channels:  # the shapes came from a state_dict
                self.in_channels = self.weight.shape[0] if transposed else self.weight.shape[1] * self.groups
            return
        if input.dim() not in (self.n + 1, self.n + 2):
            raise RuntimeError(
                f"Expected {self.n + 1}D (unbatched) or {self.n + 2}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {list(input.shape)}"
            )
        self.in_channels = C = input.shape[-self.n - 1]
        if C % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, but got {C} and groups={self.groups}")
        O = self.out_channels
        channels = (C, O // self.groups) if transposed else (O, C // self.groups)
        _materialize(self.weight, (*channels, *self.kernel_size))
        _materialize(self.bias, (O,))
        self.reset_parameters()


class LazyConvNd(LazyConvolution, ConvNd):  # type: ignore[misc]
    """A convolution that takes ``in_channels`` from its first input."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._without_shapes(out_channels, bias, dtype)


class LazyConvTransposeNd(LazyConvolution, ConvTransposeNd):  # type: ignore[misc]
    """A transposed convolution that takes ``in_channels`` from its first input."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._without_shapes(out_channels, bias, dtype)


class LazyConv1d(LazyConvNd, Conv1d):  # type: ignore[misc]
    """``Conv1d`` that takes ``in_channels`` from its first input."""

    cls_to_become = Conv1d


class LazyConv2d(LazyConvNd, Conv2d):  # type: ignore[misc]
    """``Conv2d`` that takes ``in_channels`` from its first input."""

    cls_to_become = Conv2d


class LazyConv3d(LazyConvNd, Conv3d):  # type: ignore[misc]
    """``Conv3d`` that takes ``in_channels`` from its first input."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(LazyConvTransposeNd, ConvTranspose1d):  # type: ignore[misc]
    """``ConvTranspose1d`` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyConvTransposeNd, ConvTranspose2d):  # type: ignore[misc]
    """``ConvTranspose2d`` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyConvTransposeNd, ConvTranspose3d):  # type: ignore[misc]
    """``ConvTranspose3d`` that takes ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose3d


# -- normalisation -----------------------------------------------------------------------------------------------


class LazyNorm(LazyModuleMixin):
    """What the lazy normalisations share; ``num_features`` is taken from the first input's dimension 1."""

    num_features: int
    affine: bool
    track_running_stats: bool
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(dtype=dtype)
            self.running_var = UninitializedBuffer(dtype=dtype)
            self.num_batches_tracked = tensor(0)

    def reset_parameters(self) -> None:
        """Set the values of the start, if there are any to set."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any) -> None:  # type: ignore[override]
        """``num_features`` is the input's C."""
        if not self.num_features:
            self.num_features = input.shape[1]
            unset = self.has_uninitialized_params()
            for t in (self.weight, self.bias, self.running_mean, self.running_var):
                _materialize(t, (self.num_features,))
            if unset:  # else the values came from a state_dict
                self.reset_parameters()


class LazyBatchNorm(LazyNorm, BatchNorm):  # type: ignore[misc]
    """Batch normalisation that takes ``num_features`` from its first input."""


class LazyInstanceNorm(LazyNorm, InstanceNorm):  # type: ignore[misc]
    """Instance normalisation that takes ``num_features`` from its first input; affine and tracking by default."""


class LazyBatchNorm1d(LazyBatchNorm, BatchNorm1d):  # type: ignore[misc]
    """``BatchNorm1d`` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyBatchNorm, BatchNorm2d):  # type: ignore[misc]
    """``BatchNorm2d`` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyBatchNorm, BatchNorm3d):  # type: ignore[misc]
    """``BatchNorm3d`` that takes ``num_features`` from its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyInstanceNorm, InstanceNorm1d):  # type: ignore[misc]
    """``InstanceNorm1d`` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyInstanceNorm, InstanceNorm2d):  # type: ignore[misc]
    """``InstanceNorm2d`` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyInstanceNorm, InstanceNorm3d):  # type: ignore[misc]
    """``InstanceNorm3d`` that takes ``num_features`` from its first input."""

    cls_to_become = InstanceNorm3d
