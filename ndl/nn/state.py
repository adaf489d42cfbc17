"""A module's state as a dictionary: ``state_dict`` and ``load_state_dict``.

Both walk down the modules and let each one write, or look up, its own entries (``_save_to_state_dict``,
``_load_from_state_dict``), so that a subclass or a hook can change what one module does. What is to be copied is only
noted down on the way; it is copied when all of it has been found to fit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.hooks import Hooks
from ndl.nn.parameter import Parameter, UninitializedTensor
from ndl.nn.traversal import Traversal

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` left out."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take ``prefix`` off the keys that begin with it, in place: "module." of a state saved from a ``DataParallel``."""
    for entries in (state_dict, getattr(state_dict, "_metadata", {})):
        for key in [k for k in entries if k and (k.startswith(prefix) or f"{k}." == prefix)]:
            entries[key[len(prefix) :]] = entries.pop(key)


class Problems(list):
    """The messages of one ``load_state_dict``, with what is to be done if there are none in the end."""

    def __init__(self, assign: bool) -> None:
        super().__init__()
        self.assign = assign
        self.known: set[str] = set()
        self.later: list[Callable[[], Any]] = []


class State(Traversal, Hooks):
    """The part of Module that gives and takes its state."""

    _version = 1

    def get_extra_state(self) -> Any:
        """Override to add anything to the state, under ``"_extra_state"``."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called: override it.")

    def set_extra_state(self, state: Any) -> None:
        """Override to take back what ``get_extra_state`` gave."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called: override it.")

    # -- out ---------------------------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: dict | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict:
        """Names to tensors for parameters and persistent buffers; the tensors share the module's memory.

        Its ``_metadata`` has the version of each module's part, for modules that can read older states.
        """
        if args:  # PyTorch's older form, by position
            given: list[Any] = [*args, *(destination, prefix, keep_vars)[len(args) :]]
            destination, prefix, keep_vars = given
        found: Any = destination
        if found is None:
            found = OrderedDict()
            found._metadata = OrderedDict()
        about = {"version": self._version}
        if hasattr(found, "_metadata"):
            found._metadata[prefix[:-1]] = about
        for hook in self._hooks_of("state_dict_pre"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(found, prefix, keep_vars)
        for name, m in self._modules.items():
            if m is not None:
                m.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("state_dict"):
            hook(self, found, prefix, about)
        return found

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        """Write this module's own entries."""
        for name, t in self._own_tensors():
            bare = keep_vars or isinstance(t, UninitializedTensor)
            destination[prefix + name] = t if bare else t.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _own_tensors(self) -> list[tuple[str, Tensor]]:
        own = [(name, p) for name, p in self._parameters.items() if p is not None]
        skip = self._non_persistent_buffers_set
        return own + [(name, b) for name, b in self._buffers.items() if b is not None and name not in skip]

    # -- in ----------------------------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values by name into parameters and buffers (``assign=True`` takes the tensors themselves).

        With ``strict``, names that are missing or unknown raise RuntimeError; a wrong shape always does. All problems
        are found before anything is copied, so a refused state leaves the module as it was.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict).__name__}")
        state = OrderedDict(state_dict)  # hooks may change it
        missing: list[str] = []
        unexpected: list[str] = []
        problems = Problems(assign)
        self._load_below(state, "", getattr(state_dict, "_metadata", {}), missing, unexpected, problems)
        unexpected += [k for k in state if k not in problems.known and k not in unexpected]
        lists = [("Unexpected", unexpected), ("Missing", missing)] if strict else []
        for what, keys in lists:
            if keys:
                problems.insert(0, f"{what} key(s) in state_dict: " + ", ".join(f'"{k}"' for k in keys) + ". ")
        if problems:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(problems))
        with no_grad():
            for do in problems.later:
                do()
        found = IncompatibleKeys(missing, unexpected)
        for m in self.modules():
            for hook in m._hooks_of("load_state_dict_post"):
                hook(m, found)
        return found

    def _load_below(
        self, state: dict, prefix: str, metadata: Any, missing: list, unexpected: list, problems: Problems
    ) -> None:
        local = metadata.get(prefix[:-1], {})
        self._load_from_state_dict(state, prefix, local, True, missing, unexpected, problems)
        for name, m in self._modules.items():
            if m is not None:
                m._load_below(state, f"{prefix}{name}.", metadata, missing, unexpected, problems)

    def _load_from_state_dict(
        self,
        state_dict: dict,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list,
        unexpected_keys: list,
        error_msgs: list,
    ) -> None:
        """Look up this module's own entries, note what is missing or does not fit, and what is to be copied."""
        for hook in self._hooks_of("load_state_dict_pre"):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        problems = error_msgs if isinstance(error_msgs, Problems) else Problems(False)
        for name, t in self._own_tensors():
            key = prefix + name
            problems.known.add(key)
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            message = _mismatch(key, state_dict[key], t)
            if message:
                error_msgs.append(message)
            else:
                problems.later.append(_copying(self, name, t, state_dict[key], problems.assign))
        if type(self).set_extra_state is not State.set_extra_state:
            key = prefix + EXTRA
            problems.known.add(key)
            if key in state_dict:
                extra = state_dict[key]
                problems.later.append(lambda: self.set_extra_state(extra))
            elif strict:
                missing_keys.append(key)
        if problems is not error_msgs:  # called by itself, with a list of the caller's
            with no_grad():
                for do in problems.later:
                    do()


def _mismatch(key: str, value: Any, own: Tensor) -> str | None:
    """Why ``value`` cannot be copied to ``own``, if so."""
    if not isinstance(value, Tensor):
        return (
            f'While copying "{key}": expected an ndl.Tensor, but got {type(value).__module__}.{type(value).__name__}; a '
            "file of torch.save can be read with ndl.load"
        )
    if isinstance(own, UninitializedTensor):
        return None
    if value.shape != own.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
            f"model is {own.shape}."
        )
    return None


def _copying(module: State, name: str, own: Tensor, value: Tensor, assign: bool) -> Callable[[], Any]:
    if isinstance(value, UninitializedTensor):
        return lambda: None  # neither has a value yet
    if not assign:
        return lambda: own.copy_(value)
    if name in module._parameters:
        taken = value if isinstance(value, Parameter) else Parameter(value.detach(), own.requires_grad)
        return lambda: module._parameters.__setitem__(name, taken)
    return lambda: module._buffers.__setitem__(name, value)
