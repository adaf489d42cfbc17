"""The older spectral normalisation: a hook divides ``weight_orig`` by its largest singular value before each forward.

New programs take ``nn.utils.parametrizations.spectral_norm``, where the formulas are.
"""

from __future__ import annotations

from typing import Any

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.distance import normalize
from ndl.nn.module import Module
from ndl.nn.parameter import Parameter, UninitializedTensor
from ndl.nn.utils.parametrizations import as_matrix, output_dim
from ndl.ops.creation import empty

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook of one parameter; it stands among the module's forward pre-hooks."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.n_power_iterations, self.eps = name, dim, n_power_iterations, eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """weight_orig / σ, after some steps of power iteration if asked for."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        W = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    normalize(W.T @ u, dim=0, eps=self.eps, out=v)
                    normalize(W @ v, dim=0, eps=self.eps, out=u)
                u, v = u.clone(), v.clone()  # two forward passes may run before one backward
        return weight / (u @ (W @ v))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Give ``module`` the hook, the original parameter and the two singular vectors."""
        for _, hook in _hooks(module):
            if hook.name == name:
                raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if isinstance(weight, UninitializedTensor):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying spectral normalization"
            )
        W = as_matrix(weight.detach(), dim)
        u, v = (normalize(empty(n, dtype=weight.dtype).normal_(0, 1), dim=0, eps=eps) for n in W.shape)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.detach())  # until the first forward pass
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(made, with_kwargs=True)
        return made

    def remove(self, module: Module) -> None:
        """Make the present weight a parameter again."""
        with no_grad():
            weight: Tensor = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, args: tuple, kwargs: dict | None = None) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def _hooks(module: Module) -> list[tuple[int, SpectralNorm]]:
    hooks = module._hooks.get("forward_pre", {}).items()
    return [(number, hook) for number, hook in hooks if isinstance(hook, SpectralNorm)]


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Replace the parameter by ``<name>_orig``, divided by its largest singular value. Returns the module.

    See ``parametrizations.spectral_norm`` for the options. Raises RuntimeError if the parameter has it already.
    """
    SpectralNorm.apply(module, name, n_power_iterations, output_dim(module, dim), eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Undo ``spectral_norm``. Raises ValueError if there is none on this parameter."""
    for number, hook in _hooks(module):
        if hook.name == name:
            hook.remove(module)
            del module._hooks["forward_pre"][number]
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
