"""``DistributedSampler``: the part of a dataset that one of several processes visits.

Of N indices in (shuffled) order, process ``rank`` of ``num_replicas`` takes every num_replicas-th, beginning with its own
number; before that N is filled up from the front, or cut, to a multiple of num_replicas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ndl.ops.random import Generator, randperm
from ndl.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Indices of process ``rank``, as ``torch.utils.data.distributed.DistributedSampler``.

    The order of epoch e comes from the seed ``seed + e``: call ``set_epoch(e)``. Raises RuntimeError where
    ``num_replicas`` or ``rank`` is left out, since there is no process group to ask, and ValueError for a rank that
    is not in [0, num_replicas − 1].
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "DistributedSampler has no process group to ask: ndl computes in one process. Give num_replicas and "
                "rank, or leave the sampler out"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.num_samples = len(dataset) // num_replicas if drop_last else -(-len(dataset) // num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order = Generator().manual_seed(self.seed + self.epoch) if self.shuffle else None
        indices = range(n) if order is None else randperm(n, generator=order).tolist()
        return iter([indices[i % n] for i in range(self.rank, self.total_size, self.num_replicas)])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Shuffle in another order from now on."""
        self.epoch = epoch
