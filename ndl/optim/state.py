"""An optimiser's state as a dictionary in PyTorch's form, and back.

    {"state": {0: {"momentum_buffer": tensor}, 1: …}, "param_groups": [{"lr": 0.1, …, "params": [0, 1]}, …]}

Parameters are numbered in the order of the groups, so what is loaded finds its parameter by its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor


def pack(state: Mapping, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The state with numbers for parameters; its tensors are not copied."""
    number: dict[int, int] = {}
    first = 0
    packed_groups = []
    for group in groups:
        for i, p in enumerate(group["params"], first):
            number.setdefault(id(p), i)
        first += len(group["params"])
        options = {name: value for name, value in group.items() if name != "params"}
        packed_groups.append({**options, "params": [number[id(p)] for p in group["params"]]})
    packed = {number[id(k)] if isinstance(k, Tensor) else k: value for k, value in state.items()}
    return {"state": packed, "param_groups": packed_groups}


def unpack(
    state_dict: Mapping,
    groups: list[dict[str, Any]],
    like_parameter: tuple[str, ...],
    counters: tuple[str, ...] = ("step",),
) -> tuple[defaultdict, list[dict[str, Any]]]:
    """State and groups for the parameters of ``groups`` from a packed state; everything is copied.

    Raises ValueError where the numbers of groups or parameters differ, or a shape named in ``like_parameter``.
    """
    for key in ("state", "param_groups"):
        if key not in state_dict:
            raise KeyError(
                f"an optimizer's state_dict needs the keys 'state' and 'param_groups', but {key!r} is missing"
            )
    saved_groups = [{k: deepcopy(v) for k, v in g.items()} for g in state_dict["param_groups"]]
    if len(groups) != len(saved_groups):
        raise ValueError(
            f"loaded state dict has a different number of parameter groups: {len(saved_groups)}, this optimizer has "
            f"{len(groups)}"
        )
    for i, (group, saved) in enumerate(zip(groups, saved_groups)):
        if len(group["params"]) != len(saved["params"]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                f"group {i} has {len(saved['params'])} parameters, this optimizer's has {len(group['params'])}"
            )
    numbers = chain.from_iterable(g["params"] for g in saved_groups)
    parameter = dict(zip(numbers, chain.from_iterable(g["params"] for g in groups)))
    state: defaultdict = defaultdict(dict)
    for k, value in state_dict["state"].items():
        if k not in parameter:
            state[k] = deepcopy(value)
            continue
        p = parameter[k]
        state[p] = loaded = _like(p, value, counters)
        for name in like_parameter:
            shape = tuple(getattr(loaded.get(name), "shape", p.shape))
            if shape != tuple(p.shape):
                raise ValueError(
                    f"loaded state {name!r} of parameter {k} has shape {list(shape)}, but the parameter has shape "
                    f"{list(p.shape)}"
                )
    for group, saved in zip(groups, saved_groups):
        saved["params"] = group["params"]
        if "param_names" in group:
            saved.setdefault("param_names", group["param_names"])
    return state, saved_groups


def _like(p: Tensor, value: Any, counters: tuple[str, ...], name: Any = None) -> Any:
    """A copy of a piece of state, its arrays as tensors of the parameter's type and memory order.

    Counters keep their own type: as float16, ``step`` would stop at 2048, and a product that is rounded when it is
    loaded would not go on as it did.
    """
    if isinstance(value, Mapping):
        return {k: _like(p, v, counters, k) for k, v in value.items()}
    if isinstance(value, Tensor) or (hasattr(value, "__array__") and not isinstance(value, np.generic)):
        array = value._array if isinstance(value, Tensor) else np.asarray(value)
        dtype = p._array.dtype if p.is_floating_point() and name not in counters else array.dtype
        made = np.empty_like(p._array, dtype) if array.shape == p._array.shape else np.empty(array.shape, dtype)
        made[...] = array
        return Tensor._wrap(made)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_like(p, v, counters) for v in value)  # type: ignore[call-arg]
    return deepcopy(value)
