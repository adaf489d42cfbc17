"""``Optimizer``: which parameters are trained with which options, and what an update rule remembers about each.

An update rule is a subclass that defines ``step``. Everything else is here: parameter groups, gradients back to None,
hooks around ``step``, and the state as a dictionary of PyTorch's form (``ndl.optim.state``).
"""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ndl.autograd.graph import RemovableHandle
from ndl.autograd.tensor import Tensor
from ndl.optim.state import pack, unpack

__all__ = ["Optimizer", "required"]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()
"""A default that says: every parameter group must give this option itself."""


class Optimizer:
    """Base class of all optimisers, as ``torch.optim.Optimizer``.

    ``params``: tensors, or (name, tensor) pairs, or dictionaries ``{"params": tensors, "lr": …}`` with options of
    their own; ``defaults``: the options of all others. Raises TypeError for a single tensor or what is no tensor,
    ValueError for an empty list, a tensor that was computed, and one that is in two groups.

    Attributes
        param_groups: a list of dictionaries: ``params`` and every option. Change an option here to change it.
        state: parameter -> dictionary of what the update rule remembers about it.
    """

    # State that has the parameter's shape; load_state_dict checks it.
    _like_parameter: tuple[str, ...] = ()
    # State that counts, and keeps its own type when it is loaded.
    _counters: tuple[str, ...] = ("step",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._hooks: dict[str, dict] = defaultdict(dict)
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a "
                f"{type(params).__name__}; put it into a list"
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Train the tensors in ``param_group["params"]``, too, with its options where it has some."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError(
                    "can't optimize a non-leaf Tensor: give the leaves it was computed from, or a .detach() of it"
                )
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each step changes them twice",
                stacklevel=3,
            )
        for group in self.param_groups:
            if bool(names) != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if names else 'without'} names to the optimizer"
                )
            if not set(params).isdisjoint(group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: set them to None, or (``set_to_none=False``) fill them with zeros in place.

        Parameters whose gradient is None are left alone by ``step``; zeros still move those with momentum.
        """
        for group in self.param_groups:
            for p in group["params"]:
                g = p._grad
                if g is None:
                    continue
                if set_to_none:
                    p._grad = None
                    continue
                if g.grad_fn is not None:
                    g.detach_()
                else:
                    g.requires_grad_(False)
                writable(g).fill(0)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient. ``closure`` computes the loss anew and returns it."""
        raise NotImplementedError(f"{type(self).__name__} does not define step(closure=None)")

    # -- state ---------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {id: …}, "param_groups": […]}`` in PyTorch's form; parameters are numbered in their order.

        The tensors in it are the optimiser's own: copy the dictionary to keep it while training goes on.
        """
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        packed = pack(self.state, self.param_groups)
        for hook in list(self._hooks["state_dict_post"].values()):
            changed = hook(self, packed)
            packed = packed if changed is None else changed
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a copy of the state and the options that ``state_dict()`` gave, ours or PyTorch's.

        Arrays are accepted for tensors. Raises ValueError if groups or sizes do not fit, KeyError if an entry is
        missing; then nothing has changed.
        """
        state_dict = dict(state_dict)
        for hook in list(self._hooks["load_pre"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        state, groups = unpack(state_dict, self.param_groups, self._like_parameter, self._counters)
        for group in groups:
            for name, default in self.defaults.items():  # options that were not there when the state was saved
                group.setdefault(name, default)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in list(self._hooks["load_post"].values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle and a deep copy keep: everything but the hooks."""
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", defaultdict(dict))

    # -- hooks ---------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new (args, kwargs).

        As in PyTorch, args begins with the optimiser itself.
        """
        return RemovableHandle(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict`` is made; ``prepend``: before all other hooks."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` with what ``state_dict`` made; it may return another one."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another dictionary."""
        return self._register("load_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return self._register("load_post", hook, prepend)

    def _register(self, when: str, hook: Callable, prepend: bool) -> RemovableHandle:
        hooks = self._hooks[when]
        earlier = list(hooks.items())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            for key, other in earlier:  # to the end, behind the new one
                del hooks[key]
                hooks[key] = other
        return handle

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"


def _with_hooks(step: Callable) -> Callable:
    """``step`` between the hooks registered on the optimiser."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        hooks = self._hooks
        if not hooks or type(self).step is not hooked:  # super().step(): the outer call runs the hooks
            return step(self, *args, **kwargs)
        args = (self, *args)
        for hook in list(hooks["step_pre"].values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"a step pre-hook must return None or a tuple (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in list(hooks["step_post"].values()):
            hook(self, args, kwargs)
        return result

    return hooked


def writable(t: Tensor) -> np.ndarray:
    """The memory of a tensor that is about to be written, outside the graph, as under ``no_grad``.

    The write is counted, so that a backward pass that kept the old values raises. Raises RuntimeError for memory
    that must not be written.
    """
    array = t._array
    if not array.flags.writeable or t._inference:
        raise RuntimeError(
            f"cannot update a tensor of shape {list(t.shape)} in place: it is expanded, read-only, or was made in "
            "inference mode; clone() it first"
        )
    t._version.n += 1
    return array


def scalar(value: Any) -> Any:
    """An option as a number. Of a tensor, a NumPy scalar of its type: float32 stays float32, as in PyTorch."""
    return value._array.reshape(())[()] if isinstance(value, Tensor) else value
