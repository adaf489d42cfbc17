"""``ndl.amp``: mixed precision as programs write it, without effect: everything is computed in the tensors' own type."""

from ndl.amp.autocast import autocast, custom_bwd, custom_fwd, is_autocast_available
from ndl.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
