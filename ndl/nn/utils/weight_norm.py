"""The older weight normalisation: a hook computes ``weight`` from ``weight_g`` and ``weight_v`` before each forward.

New programs take ``nn.utils.parametrizations.weight_norm``, where the formulas are.
"""

from __future__ import annotations

import warnings
from typing import Any

from ndl.nn.module import Module
from ndl.nn.parameter import Parameter, UninitializedTensor
from ndl.nn.utils.parametrizations import norm_except_dim, scaled

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook of one parameter; it stands among the module's forward pre-hooks."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """g v / ‖v‖."""
        return scaled(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Give ``module`` the hook and the two parameters."""
        for _, hook in _hooks(module):
            if hook.name == name:
                raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        weight = getattr(module, name)
        if isinstance(weight, UninitializedTensor):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying weight normalization"
            )
        made = WeightNorm(name, dim)
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight.detach(), 2, made.dim)))
        module.register_parameter(name + "_v", Parameter(weight.detach()))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made, with_kwargs=True)
        return made

    def remove(self, module: Module) -> None:
        """Make the present weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, args: tuple, kwargs: dict | None = None) -> None:
        setattr(module, self.name, self.compute_weight(module))


def _hooks(module: Module) -> list[tuple[int, WeightNorm]]:
    hooks = module._hooks.get("forward_pre", {}).items()
    return [(number, hook) for number, hook in hooks if isinstance(hook, WeightNorm)]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Replace the parameter by ``<name>_g`` and ``<name>_v``, its lengths and directions. Returns the module.

    Deprecated, as in PyTorch (FutureWarning). Raises RuntimeError if the parameter has it already.
    """
    warnings.warn(
        "weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm.", FutureWarning, stacklevel=2
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Undo ``weight_norm``. Raises ValueError if there is none on this parameter."""
    for number, hook in _hooks(module):
        if hook.name == name:
            hook.remove(module)
            del module._hooks["forward_pre"][number]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
