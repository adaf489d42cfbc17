"""``device``: there is one, the CPU. Programs that ask for it, or move to it, run unchanged."""

from __future__ import annotations

from typing import Any


class device:
    """``device('cpu')``, as ``torch.device``; every other type raises RuntimeError."""

    __slots__ = ("index", "type")
    index: int | None
    type: str

    def __init__(self, type: str | device = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            index = type.index
            type = type.type
        if not isinstance(type, str):
            raise RuntimeError(f"expected a device such as 'cpu', but got {type!r}; ndl computes on the CPU")
        kind, _, number = type.partition(":")
        if kind != "cpu":
            raise RuntimeError(f"device {type!r} is not here: ndl computes on the CPU; use device('cpu')")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return "device(type='cpu')" if self.index is None else f"device(type='cpu', index={self.index})"

    def __str__(self) -> str:
        return "cpu" if self.index is None else f"cpu:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exc: Any) -> None:
        pass


CPU = device("cpu")
