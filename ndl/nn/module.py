"""``Module``: parameters, buffers and modules by name, their state as a dictionary, modes and hooks.

PyTorch's Module in the parts that programs use: what is assigned as an attribute is registered, traversal yields
dotted names in the order of definition, ``state_dict`` maps those names to tensors that share memory.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.grad_mode import no_grad
from ndl.autograd.graph import RemovableHandle
from ndl.autograd.tensor import Tensor
from ndl.nn.hooks import BackwardHooks
from ndl.nn.parameter import Buffer, Parameter

M = TypeVar("M", bound="Module")


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` left out."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Module:
    """Base class of all building blocks, as ``torch.nn.Module``. Subclasses define ``forward``."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _version = 1

    def __init__(self) -> None:
        d = self.__dict__
        d["training"] = True
        d["_parameters"] = {}
        d["_buffers"] = {}
        d["_non_persistent_buffers_set"] = set()
        d["_modules"] = {}
        d["_hooks"] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._hooks:
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    # -- attributes ----------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        d = self.__dict__
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        elif isinstance(value, Module):
            if "_modules" not in d:
                raise AttributeError("cannot assign module before Module.__init__() call")
            _forget(self, name, "_modules")
            self._modules[name] = value
        elif "_parameters" in d and name in d["_parameters"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' (ndl.nn.Parameter or None expected)"
                )
            d["_parameters"][name] = None
        elif "_modules" in d and name in d["_modules"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as child module '{name}' (ndl.nn.Module or None expected)"
                )
            d["_modules"][name] = None
        elif "_buffers" in d and name in d["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as buffer '{name}' (ndl.Tensor or None expected)"
                )
            d["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        d = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            if kind in d and name in d[kind]:
                return d[kind][name]
        hint = "" if "_modules" in d else "; did you call super().__init__() in its __init__?"
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{hint}")

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(kind, {}):
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None reserves the name."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        _check_name(self, name, "_parameters", "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' (ndl.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly; to "
                "express it as a function of another Tensor, compute the value in the forward() method."
            )
        _forget(self, name, "_parameters")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add state that is not trained, such as a running mean; ``persistent=False`` keeps it out of state_dict."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_name(self, name, "_buffers", "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (ndl.Tensor or None required)"
            )
        _forget(self, name, "_buffers")
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under ``name``."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        _check_name(self, name, "_modules", "module")
        self._modules[name] = module

    register_module = add_module

    # -- by dotted name --------------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The module at ``target``, such as ``"layer1.0.conv"``; the empty name is this module."""
        module: Module = self
        for part in target.split(".") if target else ():
            child = module._modules.get(part)
            if child is None:
                raise AttributeError(f"{type(module).__name__} has no module '{part}' (looking for '{target}')")
            module = child
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at ``target``, such as ``"layer1.0.weight"``."""
        path, _, name = target.rpartition(".")
        p = self.get_submodule(path)._parameters.get(name)
        if p is None:
            raise AttributeError(
                f"there is no parameter '{target}'; there are {[n for n, _ in self.named_parameters()]}"
            )
        return p

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at ``target``."""
        path, _, name = target.rpartition(".")
        b = self.get_submodule(path)._buffers.get(name)
        if b is None:
            raise AttributeError(f"there is no buffer '{target}'; there are {[n for n, _ in self.named_buffers()]}")
        return b

    # -- traversal -------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module and all below it, each module once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, m in self.named_modules():
            yield m

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for the modules directly below, each once."""
        seen = set()
        for name, m in self._modules.items():
            if m is not None and m not in seen:
                seen.add(m)
                yield name, m

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        for _, m in self.named_children():
            yield m

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for path, m in modules:
            for name, value in m.__dict__[kind].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) for all parameters, a shared one once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, a shared one once: what an optimiser wants."""
        for _, p in self.named_parameters(recurse=recurse):
            yield p

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) for all buffers."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        for _, b in self.named_buffers(recurse=recurse):
            yield b

    # -- state -----------------------------------------------------------------------------------------------

    def state_dict(self, *, destination: dict | None = None, prefix: str = "", keep_vars: bool = False) -> dict:
        """Names to tensors for parameters and persistent buffers; the tensors share the module's memory."""
        found: dict = OrderedDict() if destination is None else destination
        for name, p in self._parameters.items():
            if p is not None:
                found[prefix + name] = p if keep_vars else p.detach()
        for name, b in self._buffers.items():
            if b is not None and name not in self._non_persistent_buffers_set:
                found[prefix + name] = b if keep_vars else b.detach()
        for name, m in self._modules.items():
            if m is not None:
                m.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("state_dict"):
            hook(self, found, prefix, {})
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values by name into parameters and buffers (``assign=True`` takes the tensors themselves).

        With ``strict``, names that are missing or unknown raise RuntimeError; a wrong shape always does. All problems
        are found before anything is copied, so a refused state leaves the module as it was.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict).__name__}")
        own = self.state_dict(keep_vars=True)
        missing = [k for k in own if k not in state_dict]
        unexpected = [k for k in state_dict if k not in own]
        problems = []
        if strict and unexpected:
            problems.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{k}"' for k in unexpected) + ". ")
        if strict and missing:
            problems.append("Missing key(s) in state_dict: " + ", ".join(f'"{k}"' for k in missing) + ". ")
        for k, t in own.items():
            if k not in state_dict:
                continue
            value = state_dict[k]
            if not isinstance(value, Tensor):
                problems.append(
                    f'While copying "{k}": expected an ndl.Tensor, but got '
                    f"{type(value).__module__}.{type(value).__name__}; a file of torch.save can be read with ndl.load"
                )
            elif value.shape != t.shape:
                problems.append(
                    f"size mismatch for {k}: copying a param with shape {value.shape} from checkpoint, the shape in "
                    f"current model is {t.shape}."
                )
        if problems:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(problems))
        with no_grad():
            for k, t in own.items():
                if k not in state_dict:
                    continue
                if assign:
                    self._replace(k, state_dict[k])
                else:
                    t.copy_(state_dict[k])
        keys = IncompatibleKeys(missing, unexpected)
        for m in self.modules():
            for hook in m._hooks_of("load_state_dict_post"):
                hook(m, keys)
        return keys

    def _replace(self, key: str, value: Tensor) -> None:
        path, _, name = key.rpartition(".")
        module = self.get_submodule(path)
        old = module._parameters.get(name)
        if old is None:
            module._buffers[name] = value
        elif isinstance(value, Parameter):
            module._parameters[name] = value
        else:
            module._parameters[name] = Parameter(value.detach(), old._requires_grad)

    # -- changing all of it ------------------------------------------------------------------------------------

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` on every module below and then on this one: how weights are initialised by kind."""
        for m in self.children():
            m.apply(fn)
        fn(self)
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor]) -> M:
        """Replace the values of all parameters, gradients and buffers by ``fn`` of them."""
        seen: set[int] = set()
        for m in self.modules():
            for p in m._parameters.values():
                if p is not None and id(p) not in seen:
                    seen.add(id(p))
                    p._array = fn(p.detach())._array
                    if p._grad is not None:
                        p._grad = fn(p._grad.detach())
            for name, b in m._buffers.items():
                if b is not None:
                    m._buffers[name] = fn(b)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """``module.to(dtype)`` converts floating parameters and buffers in place; a device is checked to be the CPU."""
        target = Tensor().to(*args, **kwargs)
        named = [a for a in (*args, kwargs.get("dtype")) if a is not None]
        wants_type = any(isinstance(a, Tensor) or _is_dtype(a) for a in named)
        if not wants_type:
            return self
        if not target.is_floating_point():
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={target.dtype}")
        return self._apply(lambda t: t.to(target.dtype) if t.is_floating_point() else t)

    def type(self: M, dst_type: Any) -> M:
        """All parameters and buffers in another type."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self: M) -> M:
        """Floating parameters and buffers as float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self: M) -> M:
        """Floating parameters and buffers as float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self: M) -> M:
        """Floating parameters and buffers as float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def cpu(self: M) -> M:
        """The module itself: it is on the CPU."""
        return self

    def train(self: M, mode: bool = True) -> M:
        """Training mode for this module and all below: what Dropout and BatchNorm ask."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, but got {mode!r}")
        self.training = mode
        for m in self.children():
            m.train(mode)
        return self

    def eval(self: M) -> M:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Ask for, or stop asking for, gradients of all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    def share_memory(self: M) -> M:
        """The module itself: there are no devices to share between."""
        return self

    # -- hooks -------------------------------------------------------------------------------------------------

    def _hooks_of(self, kind: str) -> list[Callable]:
        return list(self._hooks[kind].values()) if kind in self._hooks else []

    def _register(self, kind: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks.setdefault(kind, OrderedDict())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; a result replaces the arguments."""
        return self._register("forward_pre", hook if with_kwargs else _without_kwargs(hook, 1), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; a result replaces the output.

        With ``always_call`` it is also called, with None as output, when forward or an earlier hook raised.
        """
        handle = self._register("forward", hook if with_kwargs else _without_kwargs(hook, 2), prepend)
        if always_call:
            self._hooks.setdefault("always_call", {})[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the module's backward; a result replaces grad_output."""
        return self._register("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after the module's backward; a result replaces grad_input."""
        return self._register("backward", hook, prepend)

    register_backward_hook = register_full_backward_hook

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata)`` after ``state_dict`` collected this module."""
        return self._register("state_dict", hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after ``load_state_dict``."""
        return self._register("load_state_dict_post", hook)

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        for hook in self._hooks_of("forward_pre"):
            result = hook(self, args, kwargs)
            if result is not None:
                args, kwargs = result
        backward = None
        if self._hooks_of("backward") or self._hooks_of("backward_pre"):
            backward = BackwardHooks(self, self._hooks_of("backward_pre"), self._hooks_of("backward"))
            args = backward.watch_inputs(args)
        waiting = dict(self._hooks.get("forward", {}))
        try:
            output = self.forward(*args, **kwargs)
            for number, hook in list(waiting.items()):
                del waiting[number]
                result = hook(self, args, kwargs, output)
                if result is not None:
                    output = result
        except Exception:
            for number, hook in waiting.items():
                if number in self._hooks.get("always_call", {}):
                    hook(self, args, kwargs, None)
            raise
        return output if backward is None else backward.watch_outputs(output)

    # -- text --------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What to print between the brackets after the class's name."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indented(repr(m), 2)}" for name, m in self._modules.items()]
        head = f"{self._get_name()}("
        if len(lines) == 1 and not children:
            return f"{head}{lines[0]})"
        if not lines and not children:
            return head + ")"
        return head + "\n  " + "\n  ".join(chain(lines, children)) + "\n)"

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...


def _is_dtype(value: Any) -> bool:
    if isinstance(value, (str, bool)):
        return False
    try:
        as_dtype(value)
    except TypeError:
        return False
    return True


def _indented(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)


def _forget(module: Module, name: str, except_for: str) -> None:
    """A name belongs to one kind of attribute."""
    module.__dict__.pop(name, None)
    for kind in ("_parameters", "_buffers", "_modules"):
        if kind != except_for:
            module.__dict__[kind].pop(name, None)


def _check_name(module: Module, name: str, kind: str, what: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} name should be a string. Got {type(name).__name__}")
    if "." in name:
        raise KeyError(f'{what} name can\'t contain ".", got: {name!r}')
    if name == "":
        raise KeyError(f'{what} name can\'t be empty string ""')
    if hasattr(module, name) and name not in module.__dict__[kind] and name in dir(type(module)):
        raise KeyError(f"attribute '{name}' already exists")


def _without_kwargs(hook: Callable, values: int) -> Callable:
    """A hook that does not ask for keyword arguments, called as one that does."""

    @functools.wraps(hook)
    def pre(module: Module, args: tuple, kwargs: dict) -> Any:
        result = hook(module, args)
        if result is None:
            return None
        return (result if isinstance(result, tuple) else (result,)), kwargs

    @functools.wraps(hook)
    def post(module: Module, args: tuple, kwargs: dict, output: Any) -> Any:
        return hook(module, args, output)

    return pre if values == 1 else post
