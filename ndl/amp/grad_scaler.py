"""``GradScaler``: scales a loss so that float16 gradients do not vanish. Gradients are float32 here: the scale is 1."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["GradScaler"]


class GradScaler:
    """As PyTorch's scaler that is off: ``scale(loss)`` is the loss, ``step(optimizer)`` is ``optimizer.step()``.

    Asked for on a device that is not here, it is off with a warning, as in PyTorch. Enabled on the CPU it raises
    RuntimeError.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device == "cpu":
            raise RuntimeError(
                "GradScaler on the CPU is not here: gradients have the weights' own type and need no scaling. Leave it "
                "out, or give enabled=False"
            )
        if enabled:
            warnings.warn(
                f"GradScaler is enabled, but the device '{device}' is not available. Disabling.", stacklevel=2
            )

    def scale(self, outputs: Any) -> Any:
        """The loss, or the losses, as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing: the gradients were not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Nothing: there is no scale to update."""

    def is_enabled(self) -> bool:
        """False."""
        return False

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Empty, as of a scaler that is off."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing."""
