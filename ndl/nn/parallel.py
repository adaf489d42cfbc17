"""The wrappers of PyTorch for several devices, where there is one CPU: ``DataParallel`` and what cannot be here.

y = module(x), as PyTorch's ``DataParallel`` computes without a GPU; the names of its parameters begin with "module.".
"""

from __future__ import annotations

from typing import Any, NoReturn

from ndl.nn.module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls ``module``, and has it in its state_dict as "module", as ``torch.nn.DataParallel`` without a GPU.

    ``device_ids``, ``output_device`` and ``dim`` say how PyTorch divides a batch among GPUs; they are taken and not used.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list = []
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """``module(*inputs, **module_kwargs)``, or ``module(inputs)`` if they are no tuple."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*arguments, **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """Not here: programs may ask ``isinstance(model, DistributedDataParallel)``; making one raises RuntimeError."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        _refuse(module)


def _refuse(module: Any) -> NoReturn:
    raise RuntimeError(
        "DistributedDataParallel is not here: ndl computes in one process, on the CPU. "
        f"Use the {type(module).__name__} itself"
    )
