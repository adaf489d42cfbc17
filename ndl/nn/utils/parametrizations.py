"""Ready parametrizations of weights: weight normalisation and spectral normalisation.

    weight norm       W = g v / ‖v‖                    the length g and the direction v of each row are trained apart
    spectral norm     W = V / σ(V)                     σ is the largest singular value: the layer's Lipschitz constant is 1

Weight norm, with u = v / ‖v‖ and all sums over the dimensions of the norm:

    dg = Σ dW u,        dv = (g / ‖v‖) (dW − u Σ dW u)         the part of dW along v cannot change W and is taken out

σ = uᵀ V v with the singular vectors u and v from power iteration, u ← V v / ‖V v‖, v ← Vᵀ u / ‖Vᵀ u‖: one step in each
training forward is enough, since V changes little between two. u and v count as constants.
Salimans & Kingma 2016; Miyato, Kataoka, Koyama & Yoshida 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.summation import sum_over
from ndl.nn.conv_transpose import ConvTransposeNd
from ndl.nn.distance import normalize
from ndl.nn.module import Module
from ndl.nn.utils import parametrize
from ndl.ops.creation import empty
from ndl.ops.linalg import vector_norm

__all__ = ["norm_except_dim", "spectral_norm", "weight_norm"]


# -- weight norm -------------------------------------------------------------------------------------------------


class WeightNormFunction(ArrayFunction):
    """W = g v / ‖v‖;  dg = Σ dW u,  dv = (g / ‖v‖) (dW − u Σ dW u)  with u = v / ‖v‖."""

    @staticmethod
    def forward(ctx: Any, v: np.ndarray, g: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        ctx.save_for_backward(v, g)
        ctx.axes = axes
        kept = [1 if a in axes else n for a, n in enumerate(v.shape)]
        return v * (g.reshape(kept) / np.sqrt(sum_over(v * v, axes)).reshape(kept))

    @staticmethod
    def backward(ctx: Any, dW: Any) -> tuple:
        v, g = ctx.saved_tensors
        kept = [1 if a in ctx.axes else n for a, n in enumerate(v.shape)]
        r = np.sum(v * v, axis=ctx.axes, keepdims=True) ** -0.5
        u = v * r
        dg = np.sum(dW * u, axis=ctx.axes, keepdims=True)
        dv = (g.reshape(kept) * r) * (dW - u * dg)
        return dv, dg.reshape(g.shape), None


def _axes(v: Tensor, dim: int) -> tuple[int, ...]:
    """The dimensions of the norm: all but ``dim``, and all if it is −1, as in PyTorch."""
    if not -v.ndim <= dim < v.ndim and dim != -1:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-v.ndim}, {v.ndim - 1}], but got {dim})"
        )
    return tuple(a for a in range(v.ndim) if dim == -1 or a != dim % v.ndim)


def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """‖v‖ over all dimensions but ``dim``, which are kept with size 1; dim = −1 gives the norm of all, a number."""
    return vector_norm(v, pow, _axes(v, dim) or None, dim != -1)


def scaled(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """g v / ‖v‖ with the norm over all dimensions but ``dim``."""
    return WeightNormFunction.apply(v, g, _axes(v, dim))


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Replace ``module.<name>`` by g v / ‖v‖: ``original0`` is g, ``original1`` is v. Returns the module.

    The norm is over all dimensions but ``dim``, so by default each output unit has its own g; ``dim=None`` takes one g
    for all. A state of the older ``nn.utils.weight_norm`` (``weight_g``, ``weight_v``) can be loaded.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict, prefix: str, *rest: Any) -> None:
        for i, suffix in enumerate("gv"):
            if f"{prefix}{name}_{suffix}" in state_dict:
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(f"{prefix}{name}_{suffix}")

    module._register_load_state_dict_pre_hook(rename)
    return module


# -- spectral norm -----------------------------------------------------------------------------------------------


def as_matrix(W: Tensor, dim: int) -> Tensor:
    """W with ``dim`` as rows and all other dimensions as columns."""
    if dim:
        W = W.permute(dim, *(d for d in range(W.ndim) if d != dim))
    return W.flatten(1)


def output_dim(module: Module, dim: int | None) -> int:
    """The dimension of the outputs in a weight: 1 for transposed convolutions, else 0."""
    if dim is not None:
        return dim
    return 1 if isinstance(module, ConvTransposeNd) else 0


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:  # a vector's norm needs no approximation
            self.n_power_iterations = n_power_iterations
            V = as_matrix(weight.detach(), self.dim)
            u, v = (empty(n, dtype=weight.dtype).normal_(0, 1) for n in V.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._power_method(V, 15)

    def _power_method(self, V: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                normalize(V @ self._v, dim=0, eps=self.eps, out=self._u)
                normalize(V.T @ self._u, dim=0, eps=self.eps, out=self._v)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        V = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(V, self.n_power_iterations)
        # Copies: the next forward pass will write to the buffers, and two may run before one backward.
        u, v = self._u.clone(), self._v.clone()
        return weight / (u @ (V @ v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Replace ``module.<name>`` by W / σ(W), σ the largest singular value of W as a matrix. Returns the module.

    Rows are the dimension ``dim``: by default the outputs. Each forward pass in training makes ``n_power_iterations``
    steps of power iteration. Raises ValueError where there is no tensor of this name.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module, dim), eps)
    return parametrize.register_parametrization(module, name, made)
