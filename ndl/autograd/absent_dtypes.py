"""Types that PyTorch has and NumPy does not: programs may name them and compare with them, not use them."""

from __future__ import annotations

from typing import NoReturn

from ndl.autograd.dtypes import dtype

__all__ = ["bfloat16"]


class AbsentType(dtype):
    """A floating type that no tensor has: whatever asks for its NumPy dtype gets a TypeError."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def dtype(self) -> NoReturn:  # type: ignore[override]
        raise TypeError(f"{self.name} is not here, since NumPy does not have it; use float32, or float16")

    @property
    def is_floating_point(self) -> bool:
        return True

    @property
    def is_complex(self) -> bool:
        return False

    @property
    def is_signed(self) -> bool:
        return True

    @property
    def itemsize(self) -> int:
        return 2

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> str:  # type: ignore[override]
        return self.name


bfloat16 = AbsentType("bfloat16")
