"""Random tensors: the same seed gives PyTorch's CPU numbers (see ``ndl.kernels.random`` for how equal they are)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ndl.autograd.device import CPU
from ndl.autograd.device import device as Device
from ndl.autograd.dtypes import as_dtype, as_numpy_dtype, default_numpy_dtype
from ndl.autograd.inplace import check_writable
from ndl.autograd.tensor import Tensor
from ndl.kernels import random as kernel
from ndl.ops.creation import _check_options, _keyword_size, _leaf, _shape, _sizes
from ndl.ops.promotion import array_of

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]


class Generator(kernel.Generator):
    """A stream of random numbers of its own, as ``torch.Generator``; pass it as ``generator=``."""

    def __init__(self, device: Any = "cpu") -> None:
        Device(device)
        super().__init__()

    @property
    def device(self) -> Device:
        return CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start again at ``seed``, any integer from −2⁶³ to 2⁶⁴ − 1."""
        super().manual_seed(seed)
        return self

    def get_state(self) -> Any:
        """All that is needed to continue the stream, as a uint8 tensor; PyTorch's own bytes."""
        return Tensor._wrap(super().get_state())

    def set_state(self, state: Any) -> None:
        """Continue where ``get_state`` was called."""
        super().set_state(state._array if isinstance(state, Tensor) else state)

    def __getstate__(self) -> dict[str, Any]:
        return {"state": super().get_state(), "bernoulli_stream": self.bernoulli_stream}


default_generator = Generator()


def _stream(generator: Generator | None) -> Generator:
    return default_generator if generator is None else generator


def manual_seed(seed: int) -> Generator:
    """Start the default stream again at ``seed`` and return it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default stream at a seed nobody can foresee, and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed the default stream was started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default stream, for ``set_rng_state``."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default stream from a state."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: Any = None,
) -> Iterator[None]:
    """Inside the ``with`` the default stream runs on; afterwards it continues where it was before."""
    before = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if before is not None:
            set_rng_state(before)


def _float_type(dtype: Any) -> np.dtype:
    return default_numpy_dtype() if dtype is None else as_numpy_dtype(dtype)


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """Uniform numbers in [0, 1): ``rand(2, 3)``."""
    kwargs.pop("device", None)
    shape = _sizes("rand", size, kwargs)
    return _leaf(_stream(generator).uniform(0.0, 1.0, shape, _float_type(dtype)), requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """Standard normal numbers: ``randn(2, 3)``."""
    kwargs.pop("device", None)
    shape = _sizes("randn", size, kwargs)
    return _leaf(_stream(generator).normal(0.0, 1.0, shape, _float_type(dtype)), requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Integers from ``low`` to ``high`` − 1: ``randint(10, (2, 3))`` or ``randint(5, 10, (2, 3))``; int64."""
    if high is None or isinstance(high, (tuple, list)):  # randint(high, size)
        low, high, size = 0, low, high if size is None else size
    if size is None:
        raise TypeError("randint() needs a size, such as randint(10, (2, 3))")
    _keyword_size((), kwargs)
    values = _stream(generator).randint(int(low), int(high), _shape((size,)))
    return _leaf(values.astype(np.int64 if dtype is None else as_numpy_dtype(dtype), copy=False), requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **kwargs: Any,
) -> Tensor:
    """The integers 0 … n − 1 in random order."""
    _keyword_size((), kwargs)
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    values = _stream(generator).permutation(n)
    return _leaf(values.astype(np.int64 if dtype is None else as_numpy_dtype(dtype), copy=False), requires_grad)


def _like_type(input: Tensor, dtype: Any) -> np.dtype:
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    return input._array.dtype if dtype is None else as_numpy_dtype(dtype)


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and type of ``input``."""
    _check_options(kwargs)
    kind, stream = _like_type(input, dtype), _stream(generator)
    return _leaf(drawn_like(input, lambda shape: stream.uniform(0.0, 1.0, shape, kind)), requires_grad)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Tensor:
    """Standard normal numbers in the shape and type of ``input``."""
    _check_options(kwargs)
    kind, stream = _like_type(input, dtype), _stream(generator)
    runs = _order(input) == list(range(input.ndim))
    return _leaf(drawn_like(input, lambda shape: stream.normal(0.0, 1.0, shape, kind, runs)), requires_grad)


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Integers from ``low`` to ``high`` − 1 in the shape and type of ``input``."""
    _check_options(kwargs)
    low, high = (0, low) if high is None else (low, high)
    kind, stream = _like_type(input, dtype), _stream(generator)
    values = drawn_like(input, lambda shape: stream.randint(int(low), int(high), shape))
    return _leaf(values.astype(kind, copy=False), requires_grad)


def normal(
    mean: Any,
    std: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers with mean and std given as numbers with a ``size``, or as tensors, element by element.

    ``std`` is 1 unless given beside a tensor. Raises TypeError for other combinations, RuntimeError for a negative std.
    """
    stream = _stream(generator)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if std is None or not isinstance(size, (tuple, list)):
            raise TypeError("normal() with two numbers needs a size: normal(0.0, 1.0, (2, 3))")
        return _leaf(stream.normal(float(mean), float(std), _shape((size,)), _float_type(dtype)), requires_grad)
    if size is not None or dtype is not None:
        raise TypeError("normal() with tensors takes its size and dtype from them, so neither may be given")
    m = mean._array if isinstance(mean, Tensor) else np.asarray(mean)
    s = std._array if isinstance(std, Tensor) else np.asarray(1.0 if std is None else std)
    kind = m.dtype if isinstance(mean, Tensor) else s.dtype
    if kind.kind != "f":
        raise NotImplementedError(f'"normal" not implemented for {as_dtype(kind)}; convert the tensor with .float()')
    if np.any(s < 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    z = stream.normal(0.0, 1.0, np.broadcast_shapes(m.shape, s.shape), kind)
    return _leaf((z * s + m).astype(kind, copy=False))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """0 or 1, where ``input`` holds the probability of 1 for each element (or ``p`` is one for all)."""
    stream = _stream(generator)
    x = input._array
    if p is not None:
        return _leaf(stream.bernoulli(float(p), x.shape, x.dtype))
    if x.dtype.kind != "f":
        raise RuntimeError(f"bernoulli expects floating-point probabilities, but got {input.dtype}")
    return _leaf(stream.bernoulli(x, dtype=x.dtype))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn in proportion to the weights in each row of ``input``: (C) or (N, C) -> (num_samples) or (N, …)."""
    turned = input.ndim == 2 and input._base is not None and _order(input) == [1, 0]
    return _leaf(_stream(generator).multinomial(input._array, num_samples, replacement, turned))


# -- the order of memory -------------------------------------------------------------------------------------------


def drawn_like(t: Any, draw: Callable[[tuple[int, ...]], np.ndarray]) -> np.ndarray:
    """Random numbers in the shape of ``t`` that come, as PyTorch's, in the order in which t lies in memory."""
    order = _order(t)
    return draw(tuple(t.shape[a] for a in order)).transpose(np.argsort(order))


def bernoulli_like(t: Any, p: float, stream: Generator = default_generator) -> np.ndarray:
    """1 with probability ``p``, else 0, in the shape and type of ``t``."""
    kind = array_of(t).dtype
    if stream.bernoulli_stream == "mcg31m1":  # PyTorch hands all of this stream on in the order of the dimensions
        return stream.bernoulli(p, tuple(t.shape), kind)
    return drawn_like(t, lambda shape: stream.bernoulli(p, shape, kind))


def _order(t: Any) -> list[int]:
    """The axes from the slowest in memory to the fastest, as PyTorch would lay out new memory for a tensor like ``t``.

    An axis of stride 0, along which a tensor repeats, stays where it is; of equal strides the shorter axis is the faster.
    """
    x = array_of(t)
    order = list(range(x.ndim))
    if not isinstance(t, Tensor):
        return order
    if t._laid is not None and len(t._laid) == x.ndim:
        return list(t._laid)
    strides = x.strides
    if not _laid_by_the_program(t):
        if t._base is None:
            return order
        strides = tuple(_if_contiguous(s, t._base._array) for s in strides)
    elif x.flags.c_contiguous:
        return order
    moving = [a for a in order if strides[a]]
    for place, a in zip(moving, sorted(moving, key=lambda a: (-abs(strides[a]), -x.shape[a]))):
        order[place] = a
    return order


def _laid_by_the_program(t: Tensor) -> bool:
    """Whether a program laid t so in memory: other tensors lie as the fast kernels want them, channels last or batch last,
    where PyTorch's are contiguous. Nothing tells a program's channels from those, but for a view's base.
    """
    x = t._array if t._base is None else t._base._array
    if x.flags.c_contiguous or x.ndim == 2:
        return True
    return not any(np.moveaxis(x, a, -1).flags.c_contiguous for a in range(min(2, x.ndim)))


def _if_contiguous(stride: int, base: np.ndarray) -> float:
    """What a view's stride would be if its base were contiguous: as many steps along the same axis of the base."""
    along = [(abs(s), axis) for axis, s in enumerate(base.strides) if base.shape[axis] > 1 and abs(s) <= abs(stride)]
    if not along:
        return 0
    step, axis = max(along)
    return abs(stride) / step * math.prod(base.shape[axis + 1 :])


# -- in place: methods of Tensor ---------------------------------------------------------------------------------


def _fill(t: Tensor, draw: Callable[[tuple[int, ...]], np.ndarray]) -> Tensor:
    """New values for ``t``, which do not depend on the old ones: no gradient passes."""
    return t.copy_(Tensor._wrap(drawn_like(t, draw)))


def uniform_(
    self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None, **kwargs: Any
) -> Tensor:
    """Fill with uniform numbers in [from, to)."""
    low, high = _ends("uniform_", a, b, kwargs)
    check_writable(self)
    kind, stream = self._array.dtype, _stream(generator)
    return _fill(self, lambda shape: stream.uniform(float(low), float(high), shape, kind))


def _ends(name: str, low: Any, high: Any, kwargs: dict) -> tuple[Any, Any]:
    """The ends of a range, also under PyTorch's names, of which ``from`` is none of Python's."""
    low, high = kwargs.pop("from", low), kwargs.pop("to", high)
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {sorted(kwargs)[0]!r}")
    return low, high


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers."""
    check_writable(self)
    kind, stream = self._array.dtype, _stream(generator)
    pairs = not self._array.flags.c_contiguous and (self._laid is not None or _laid_by_the_program(self))
    return _fill(self, lambda shape: stream.normal(float(mean), float(std), shape, kind, not pairs))


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 0 and 1; ``p``, a number or a tensor of this shape, is the probability of 1."""
    check_writable(self)
    kind, stream = self._array.dtype, _stream(generator)
    if isinstance(p, Tensor):
        each = np.broadcast_to(p._array, self.shape).transpose(_order(self))
        return _fill(self, lambda _: stream.bernoulli(each, dtype=kind))
    return self.copy_(Tensor._wrap(bernoulli_like(self, float(p), stream)))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponentially distributed numbers of rate ``lambd``."""
    check_writable(self)
    kind, stream = self._array.dtype, _stream(generator)
    return _fill(self, lambda shape: stream.exponential(float(lambd), shape, kind))


def random_(
    self: Tensor, low: int | None = None, high: int | None = None, *, generator: Generator | None = None, **kwargs: Any
) -> Tensor:
    """Fill with integers: from low to high − 1, from 0 to low − 1, or over all the type can hold."""
    low, high = _ends("random_", low, high, kwargs)
    check_writable(self)
    kind, stream = self._array.dtype, _stream(generator)
    if low is None:
        return _fill(self, lambda shape: stream.random(shape, kind))
    first, end = (0, low) if high is None else (low, high)
    return _fill(self, lambda shape: stream.randint(first, end, shape).astype(kind))
