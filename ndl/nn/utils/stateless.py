"""A Module called with other parameters than its own: ``functional_call``.

    W = {name: p - lr * g for (name, p), g in zip(model.named_parameters(), gradients)}
    y = functional_call(model, W, x)              # y = model(x) with W, and differentiable with respect to W

The tensors stand in the places of the module's parameters and buffers while it runs, and nowhere else: the module has
its own again afterwards, whatever happens inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module
from ndl.nn.parallel import DataParallel

__all__ = ["functional_call"]

Place = tuple[dict, str]  # a module's dictionary of parameters or buffers, and the name in it


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with these tensors as its parameters and buffers, as ``torch.func.functional_call``.

    ``parameter_and_buffer_dicts``: tensors by the names of ``named_parameters()`` and ``named_buffers()``, in one
    dictionary or several; what is not in it stays the module's own. ``args``: a tuple, or a single argument. What the
    module assigns to a buffer is found in the dictionary afterwards. ``tie_weights``: a tensor given for one of several
    names of the same parameter is used for all of them. ``strict``: all names must be given, and no others.

    Raises ValueError for a name in two dictionaries, or different tensors for names that are tied; RuntimeError for
    names that ``strict`` forbids, and for a DataParallel.
    """
    if isinstance(module, DataParallel):
        raise RuntimeError("functional_call can't be used with a DataParallel: give its .module")
    several = not isinstance(parameter_and_buffer_dicts, dict)
    dicts: Any = parameter_and_buffer_dicts if several else (parameter_and_buffer_dicts,)
    if not isinstance(dicts, Sequence) or not all(isinstance(d, dict) for d in dicts):
        raise ValueError(f"expected a dict or a sequence of dicts of tensors, but got {type(dicts).__name__}")
    repeated = [name for name, n in Counter(name for d in dicts for name in d).items() if n > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    given = {name: t for d in dicts for name, t in d.items()} if several else dicts[0]
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _standing_in(module, given, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


@contextmanager
def _standing_in(module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    places = dict(_places(module))
    if strict:
        missing, unexpected = sorted(set(places) - set(given)), sorted(set(given) - set(places))
        if missing or unexpected:
            raise RuntimeError(
                f"functional_call of {type(module).__name__}: missing key(s) {missing}, unexpected key(s) {unexpected}"
            )
    named = {name: name for name in given if name in places}  # a place -> the name of the tensor to stand there
    if tie_weights:
        named |= _tied(places, given)
    before = {name: places[name][0][places[name][1]] for name in named}
    try:
        for name, source in named.items():
            entries, key = places[name]
            entries[key] = given[source]
        yield
    finally:
        for name, own in before.items():
            entries, key = places[name]
            if name in given:
                given[name] = entries[key]
            entries[key] = own


def _places(module: Module) -> Iterator[tuple[str, Place]]:
    for prefix, m in module.named_modules(remove_duplicate=False):
        for entries in (m._parameters, m._buffers):
            for key, t in entries.items():
                if t is not None:
                    yield f"{prefix}.{key}" if prefix else key, (entries, key)


def _tied(places: dict[str, Place], given: dict[str, Tensor]) -> dict[str, str]:
    """For each name that is not given, the given name of the same tensor."""
    groups: dict[int, list[str]] = {}
    for name, (entries, key) in places.items():
        groups.setdefault(id(entries[key]), []).append(name)
    found: dict[str, str] = {}
    for names in groups.values():
        sources = [name for name in names if name in given]
        if any(given[name] is not given[sources[0]] for name in sources):
            raise ValueError(f"functional_call got different tensors for {sources}, which are one; tie_weights=False")
        if sources:
            found |= {name: sources[0] for name in names if name not in given}
    return found
