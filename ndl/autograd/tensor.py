"""``Tensor``: an array that remembers how it was computed.

A tensor is four things: its values (``_array``, a NumPy array), where it stands in the graph (``_node`` and
``_nr``: it is output ``_nr`` of that call; None for a leaf), its gradient (``grad``, for leaves), and how often
its memory was written (``_version``). A view also knows its ``_base``, the tensor whose memory it shows.

What can be *computed* with tensors is not here: ``ndl.ops`` defines it and ``ndl.ops.table`` gives it to this
class, operators and methods alike.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ndl.autograd import dtypes
from ndl.autograd.device import CPU, device
from ndl.autograd.grad_mode import state
from ndl.autograd.graph import Node, RemovableHandle, Version
from ndl.autograd.size import Size


class Tensor:
    """An n-dimensional array whose operations can be differentiated, as ``torch.Tensor``.

    ``ndl.tensor(data)`` copies data and guesses the type; ``Tensor(data)`` is PyTorch's older form: always the
    default float type, and ``Tensor(2, 3)`` gives an uninitialised tensor of that size.
    """

    # What most tensors share is kept on the class, so that making one sets two attributes only.
    _array: np.ndarray
    _version: Version
    _node: Node | None = None
    _nr: int = 0
    _requires_grad = False
    _grad: Tensor | None = None
    _base: Tensor | None = None
    _view_version = 0
    _view_origin: str | None = None
    _hooks: dict | None = None
    _post_accumulate_hooks: dict | None = None
    _retains_grad = False
    _shared = False  # whether something else was given this memory: a view, detach(), numpy()
    _inference = False
    _laid: tuple[int, ...] | None = None  # the axes from slowest to fastest in PyTorch's memory, where no base tells

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, *data: Any, device: Any = None) -> None:
        default = dtypes.default_numpy_dtype()
        if len(data) == 1 and isinstance(data[0], Tensor):
            self._array = data[0]._array.astype(default, copy=False)
        elif len(data) == 1 and not isinstance(data[0], (int, Size)):
            self._array = np.array(data[0], dtype=default)
        else:
            shape = data[0] if len(data) == 1 and isinstance(data[0], Size) else data
            self._array = np.empty(shape if data else (0,), default)
        self._version = Version()

    @classmethod
    def _wrap(cls, array: np.ndarray, node: Node | None = None, nr: int = 0) -> Any:
        """The tensor around an array, without copying: output ``nr`` of ``node``, or a leaf."""
        made = object.__new__(cls)
        made._array = array
        made._version = Version()
        if node is not None:
            made._node = node
            made._nr = nr
        if state.inference:
            made._inference = True
        return made

    # -- in the graph --------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor: set on leaves, inherited by what is computed from them."""
        if self._base is not None:
            if self._view_origin is not None and self._version.n != self._view_version:
                return self._base.requires_grad  # there is no telling how: only using the tensor raises
            self._refresh_view()
        return self._requires_grad or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for gradients on a leaf, or stop asking. Raises RuntimeError on non-leaves and integer types."""
        if not self.is_leaf:
            if requires_grad:
                return self
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, but this one is {self.dtype}; "
                "convert it first, for example with .float()"
            )
        if requires_grad and self._inference and not state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self._requires_grad = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """True for tensors the user made; False for results of recorded operations."""
        if self._base is not None and self._view_origin is None:
            self._refresh_view()
        return self._node is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded call that made this tensor; None for a leaf."""
        if self._base is not None:
            self._refresh_view()
        return self._node

    @property
    def output_nr(self) -> int:
        return self._nr

    @property
    def grad(self) -> Tensor | None:
        """The gradients added up by all ``backward()`` calls since it was last None; kept by leaves."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got {type(value).__name__}")
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: got {list(value.shape)}, the tensor is "
                    f"{list(self.shape)}"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"assigned grad has data of a different type: got {value.dtype}, the tensor is {self.dtype}"
                )
        self._grad = value

    def _edge(self) -> tuple | None:
        """Where this tensor's gradient goes: (node, output number), (leaf, 0), or None."""
        if self._base is not None:
            self._refresh_view()
        if self._node is not None:
            return self._node, self._nr
        return (self, 0) if self._requires_grad else None

    def _refresh_view(self) -> None:
        """A view's history is its base's: renew it if the shared memory was written since."""
        if self._version.n != self._view_version:
            from ndl.autograd.views import renew_view

            renew_view(self)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add d self / d leaf to ``leaf.grad`` for every leaf this tensor was computed from.

        ``gradient`` is dL/d self, by default 1 for a tensor of one element. ``retain_graph`` keeps what a second
        call needs; ``create_graph`` records the backward pass itself, for second derivatives; ``inputs`` are the
        only leaves to serve.
        """
        from ndl.autograd.engine import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory outside the graph: writing to it in place is still seen by the original's version."""
        made = Tensor._wrap(self._array)
        made._version = self._version
        made._inference = self._inference
        made._shared = self._shared = True
        return made

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph. Raises RuntimeError for a view, which shares its base's history."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node, self._nr, self._requires_grad = None, 0, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph and with a version count of its own: no check will notice a write."""
        made = Tensor._wrap(self._array)
        made._shared = self._shared = True
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value._array

    def retain_grad(self) -> None:
        """Keep ``grad`` for a tensor that is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self._retains_grad:
            return
        self._retains_grad = True

        assert self._node is not None
        self._node.retaining = {**(self._node.retaining or {}), self._nr: weakref.ref(self)}

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` each time this tensor's gradient is computed; a result replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            hooks = self._node.tensor_hooks = self._node.tensor_hooks or {}
            return RemovableHandle(hooks.setdefault(self._nr, {}), hook)
        if self._hooks is None:
            self._hooks = {}
        return RemovableHandle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(self)`` after a gradient was added to this leaf's ``grad``."""
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = {}
        return RemovableHandle(self._post_accumulate_hooks, hook)

    def is_inference(self) -> bool:
        """Whether the tensor was made inside ``inference_mode``."""
        return self._inference

    @property
    def _is_view(self) -> bool:
        return self._base is not None

    # -- the array -----------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        if dim is None:
            return Size(self._array.shape)
        if not -max(self.ndim, 1) <= dim < max(self.ndim, 1) or self.ndim == 0:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-self.ndim}, {self.ndim - 1}], but got {dim})"
                if self.ndim
                else f"Dimension specified as {dim} but tensor has no dimensions"
            )
        return self._array.shape[dim]

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes._BY_NUMPY[self._array.dtype]

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._array.size

    nelement = numel

    @property
    def device(self) -> device:
        return CPU

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def is_cpu(self) -> bool:
        return True

    @property
    def is_sparse(self) -> bool:
        return False

    def get_device(self) -> int:
        return -1

    def is_floating_point(self) -> bool:
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return self._array.dtype.kind == "c"

    def is_signed(self) -> bool:
        return self.dtype.is_signed

    def element_size(self) -> int:
        return self._array.itemsize

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Elements (not bytes) between neighbours along each dimension, or along one."""
        strides = tuple(s // self._array.itemsize for s in self._array.strides)
        return strides if dim is None else strides[dim]

    def storage_offset(self) -> int:
        """Elements between the start of the base's memory and the first element."""
        if self._base is None:
            return 0
        return (self.data_ptr() - self._base.data_ptr()) // self._array.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._array.__array_interface__["data"][0]

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The values as a NumPy array that shares this memory.

        Raises RuntimeError if the tensor requires gradients, since writing to the array would go unnoticed;
        ``.detach().numpy()`` or ``force=True`` does it all the same.
        """
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        self._shared = True
        return self._array

    def item(self) -> Any:
        """The one value as a Python number. Raises RuntimeError for any other number of elements."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar; its shape is "
                f"{list(self.shape)}: reduce it first, or use .tolist()"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The values as nested Python lists, or a number for a tensor without dimensions."""
        return self._array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "iub":
            raise TypeError(
                "only integer tensors of a single element can be converted to an index, but got "
                f"{self.dtype} of shape {list(self.shape)}"
            )
        return int(self._array.item())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            what = "no values" if self._array.size == 0 else "more than one value"
            raise RuntimeError(
                f"Boolean value of Tensor with {what} is ambiguous; its shape is {list(self.shape)}: use .any() or "
                ".all()"
            )
        return bool(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        from ndl.autograd.printing import tensor_repr

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        plain = self._array.ndim == 0 and type(self) is Tensor
        return format(self.item(), spec) if plain else object.__format__(self, spec)

    # -- copies and files ----------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment; use .detach().clone() for the values."
            )
        if id(self) not in memo:
            made = object.__new__(type(self))
            memo[id(self)] = made
            made.__dict__.update({k: v for k, v in self.__dict__.items() if not k.startswith("_")})
            made._array = self._array.copy("K")
            made._version = Version()
            made._requires_grad = self._requires_grad
            if self._grad is not None:
                made._grad = self._grad.__deepcopy__(memo)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be pickled; use .detach() for the values")
        return _rebuild, (type(self), self._array, self._requires_grad)

    # -- NumPy -----------------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if copy:
            return np.array(array, dtype=dtype)
        if dtype is None or np.dtype(dtype) == array.dtype:
            return array
        if copy is False:
            raise ValueError(f"converting {array.dtype} to {np.dtype(dtype)} needs a copy, but copy=False was given")
        return array.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from ndl.autograd.interop import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        from ndl.autograd.interop import call_function

        return call_function(func, args, kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple:
        return self._array.__dlpack_device__()

    if TYPE_CHECKING:  # what ndl.ops.table adds to this class

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...


def _rebuild(cls: type, array: np.ndarray, requires_grad: bool) -> Any:
    """A leaf from a file."""
    made = cls._wrap(dtypes.canonical(array))  # type: ignore[attr-defined]
    made._requires_grad = requires_grad
    return made
