"""Parametrizations: a parameter that is computed from another one, each time it is looked at.

    register_parametrization(linear, "weight", Symmetric())      # linear.weight is now Symmetric()(X)

X is kept as ``linear.parametrizations.weight.original`` (``original0``, ``original1``, … if the parametrization takes
several tensors) and is what the optimiser trains; gradients flow through the parametrization. Several can be registered
one after the other. A parametrization is a Module; its ``right_inverse``, if it has one, gives the X for a value, which
is what assigning to ``linear.weight`` needs.

The module gets a class of its own (``ParametrizedLinear``), whose property ``weight`` computes the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.containers import ModuleDict, ModuleList
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]


class _Cache:
    """Values computed inside ``cached()``: nesting depth, and (module, name) -> value."""

    def __init__(self) -> None:
        self.depth = 0
        self.values: dict[tuple[int, str], Tensor] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Inside the ``with`` block each parametrized tensor is computed once, at its first use."""
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in the order they are applied, and the tensor(s) they start from.

    Made by ``register_parametrization``; calling it gives the value. Raises ValueError where type or shape change,
    unless ``unsafe``.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new: Any = original
            for m in reversed(list(self)):
                if hasattr(m, "right_inverse"):
                    try:
                        new = m.right_inverse(new)
                    except NotImplementedError:
                        continue  # then it counts as the identity, as one without does
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            original.data = new  # the same object, so that an optimiser that has it keeps it
            _register(self, "original", original)
        else:
            for i, t in enumerate(new):
                if not isinstance(t, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                        f"{i} of the sequence with type {type(t).__name__}."
                    )
                made = Parameter(t.detach(), original.requires_grad) if isinstance(original, Parameter) else t
                _register(self, f"original{i}", made)
        if not unsafe:
            value = self()
            if not isinstance(value, Tensor):
                raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
            _check_same("Registering a parametrization", "unparametrized", (dtype, shape), "parametrized", value)

    def originals(self) -> list[Tensor]:
        """The tensor(s) the value is computed from."""
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the value becomes ``value``. Raises RuntimeError without a ``right_inverse``."""
        with no_grad():
            for m in reversed(list(self)):
                if not hasattr(m, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(m).__name__} does not implement right_inverse.")
                value = m.right_inverse(value)
            values = [value] if self.is_tensor else value
            if not isinstance(values, Sequence) or not all(isinstance(t, Tensor) for t in values):
                raise ValueError(
                    f"'right_inverse' must return the tensors of the original. Got {type(value).__name__}."
                )
            if len(values) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                    f"length {len(values)}."
                )
            for own, new in zip(self.originals(), values):
                if own.dtype != new.dtype:
                    raise ValueError(
                        f"a tensor returned by `right_inverse` has dtype {new.dtype}, its original {own.dtype}"
                    )
                own.data = new

    def forward(self) -> Any:
        first, *others = self
        x = first(*self.originals())
        for m in others:
            x = m(x)
        return x


def _register(module: Module, name: str, t: Tensor) -> None:
    if isinstance(t, Parameter):
        module.register_parameter(name, t)
    else:
        module.register_buffer(name, t)


def _check_same(doing: str, before_name: str, before: tuple, after_name: str, after: Tensor) -> None:
    """Raise ValueError unless ``after`` has the type and shape ``before``."""
    for what, a, b in (("dtype", before[0], after.dtype), ("shape", before[1], after.shape)):
        if a != b:
            raise ValueError(
                f"{doing} may not change the {what} of the tensor, unless the `unsafe` flag is enabled.\n{before_name} "
                f"{what}: {a}\n{after_name} {what}: {b}"
            )


def _give_own_class(module: Module) -> None:
    """A class for this module alone, to which properties can be added."""
    cls = type(module)

    def __getstate__(self: Any) -> None:
        raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")

    def __deepcopy__(self: Any, memo: dict) -> Any:
        if id(self) not in memo:
            replica = self.__new__(type(self))
            memo[id(self)] = replica
            replica.__dict__.update(deepcopy(self.__dict__, memo))
        return memo[id(self)]

    extra: dict[str, Any] = {"__getstate__": __getstate__}
    if not hasattr(cls, "__deepcopy__"):
        extra["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), extra)


def _give_property(module: Module, name: str) -> None:
    def get(self: Any) -> Tensor:
        compute = self.parametrizations[name]
        if not _cache.depth:
            return compute()
        key = (id(self), name)
        if key not in _cache.values:
            _cache.values[key] = compute()
        return _cache.values[key]

    def set(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let ``parametrization`` compute the parameter or buffer ``tensor_name`` of ``module``, which is returned.

    ``unsafe`` allows it to change type and shape, and leaves out the checks. Raises ValueError where it changes them
    all the same, or where there is nothing of this name.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_further(module, tensor_name, parametrization)
        present = module.parametrizations[tensor_name]
        present.append(parametrization)
        present.unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'"
        )
    made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _give_own_class(module)
        module.parametrizations = ModuleDict()
    _give_property(module, tensor_name)
    module.parametrizations[tensor_name] = made
    return module


def _check_further(module: Module, name: str, parametrization: Any) -> None:
    """A parametrization on top of others must take and give the same type and shape."""
    Y = getattr(module, name)
    X = parametrization(Y)
    if not isinstance(X, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(X).__name__}.")
    like = (Y.dtype, Y.shape)
    _check_same("Registering a parametrization", f"module.{name}", like, f"parametrization(module.{name})", X)
    if hasattr(parametrization, "right_inverse"):
        try:
            Z = parametrization.right_inverse(X)
        except NotImplementedError:
            return
        if not isinstance(Z, Tensor):
            raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(Z).__name__}")
        _check_same("parametrization.right_inverse", f"module.{name}", like, "returned", Z)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether ``tensor_name``, or anything if None, is parametrized in ``module``."""
    present = getattr(module, "parametrizations", None)
    if not isinstance(present, ModuleDict):
        return False
    return len(present) > 0 if tensor_name is None else tensor_name in present


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make ``tensor_name`` a plain parameter or buffer again, with its present value, or with its original's if
    ``leave_parametrized=False``. Raises ValueError if it is not parametrized, or if there are several originals.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    present = module.parametrizations[tensor_name]
    if present.is_tensor:
        t = present.original
        if leave_parametrized:
            with no_grad():
                t.data = getattr(module, tensor_name)
    elif leave_parametrized:
        t = getattr(module, tensor_name)
        t = Parameter(t.detach()) if t.requires_grad else t
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, t)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that ``module`` had before it was given one of its own."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrizations of ``from_module``, of one tensor or of all, and their originals."""
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        source = from_module.parametrizations[name]
        for m in source:
            register_parametrization(to_module, name, m)
        target = to_module.parametrizations[name]
        for key in ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]:
            setattr(target, key, getattr(source, key))
    return to_module
